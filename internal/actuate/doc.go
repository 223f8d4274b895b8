// Package actuate makes the ops of a plan true in the cluster.
//
// Every op is a statement, so each function here first looks, changes what differs and returns when the statement
// holds: objects exist, pods are ready, gateways have accepted. Waiting is by watches and always bounded. A release
// that cannot get well (a crash loop, an image that does not exist) ends the wait at once with an
// engine.StepError that carries the container's last words.
package actuate
