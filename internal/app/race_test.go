//go:build race

package app_test

// stride thins the exhaustive tests out: under the race detector each takes several times as long. Without it (make test
// runs them both ways) they are whole.
const stride = 11
