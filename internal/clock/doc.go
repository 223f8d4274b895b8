// Package clock is the only place where Tidegate reads or waits for time.
//
// The engine, its gates and its waits take a [Clock]. [Real] is the machine's; [Virtual] stands still until it is
// moved, so that a rollout of hours is rehearsed or tested in milliseconds and always in the same order.
package clock
