package app_test

import "os"

// strides are how many writes or calls the exhaustive tests step over, for they take tens of minutes: all is 1. Every kind of
// rollout is in each of them whatever the stride. `make exhaust` leaves nothing out.
func strides() (kills, faults int) {
	switch {
	case os.Getenv("TIDEGATE_TEST_ALL") == "1":
		return 1, 1
	case slow:
		return 61, 401
	}
	return 5, 17
}
