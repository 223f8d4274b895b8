// Package story tells made-up rollouts as the engine would: the same events in the same order, with every moment and every
// value fixed. Tests of what is rendered use it, so that their golden files never change by chance.
package story
