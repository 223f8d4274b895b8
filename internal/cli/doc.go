// Package cli turns a command line into options and a call, and the call's result into words and an exit code.
//
// What a command prints as its product goes to stdout, everything on the way to stderr. To add a command, write its
// file with a function that returns a *cobra.Command, and name it in [root].
package cli
