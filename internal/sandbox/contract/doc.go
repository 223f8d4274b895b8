// Package contract says what Tidegate expects of a Kubernetes API server, as tests.
//
// [Run] is run against the embedded server and against a real cluster, so that the former stays honest: what is asserted
// here was true of a real one. It uses nothing but client-go's dynamic client and leaves its namespace empty.
package contract
