//go:build race

package app_test

// slow says that each run takes several times as long.
const slow = true
