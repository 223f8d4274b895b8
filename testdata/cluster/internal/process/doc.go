// Package process runs programs that outlive their starter, and ends them again.
//
// Each has a record in a file: its pid, and what tells that pid from a later process that was given the same number
// (the moment it started, and the boot). Nothing is ever signalled that its record does not fit.
package process
