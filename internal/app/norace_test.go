//go:build !race

package app_test

// stride 1: every write and every call.
const stride = 1
