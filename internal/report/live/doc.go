// Package live draws a rollout in a terminal, again and again in the same place.
//
// [State] follows the events of a run, or stands for a stored record. [Frame] is a pure picture of it at one moment for one
// size of terminal. [Terminal] replaces the last picture by the next one: no alternate screen, so that the last picture
// stays in the scrollback. [Screen] ties the three together as a listener of the engine.
package live
