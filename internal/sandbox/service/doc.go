// Package service is the small HTTP service that the sandbox deploys: in the pods of a real cluster (testdata/service
// is its main) and in the embedded pods of tests, which run it in-process.
//
// One program plays every kind of version that a rollout may meet. [Config] says which: good, failing in part, failing
// only after a while, slow, never ready, crashing, or rude, which is to exit on SIGTERM with requests still under way.
// Every answer to a user names the version that gave it in the header X-Version; an error without that header was not
// made here, so a request stream can tell a version's own errors from requests lost on the way.
//
// Errors are spread evenly, not drawn at random: a rate of 0.3 is three of every ten requests. A test that waits for a
// gate to see them is then as fast as it can be, every time.
//
// The metrics are what a gate's usual queries ask for, in the Prometheus text format: http_requests_total by code,
// http_request_duration_seconds, and mirrored_requests_total, which counts copies that nobody waits for. Both codes are
// there from the start at zero, since rate() cannot see the increase from absent to one.
package service
