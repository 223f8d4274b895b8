// Package report tells people what a rollout does: the log of a run, its closing words, a plan, a status.
//
// Everything here is rendering. Nothing reads a clock, a cluster or an environment: times and facts are given, and the
// same input always gives the same text. The live view of a terminal is package live; how spans, images and foreign text
// are written is package words.
//
// Text that comes from containers, branches or the cluster is never trusted: it goes through words.Clean, which removes
// what a terminal or a CI system would obey.
package report
