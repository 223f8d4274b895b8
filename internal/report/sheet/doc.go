// Package sheet says in plain words what the job summary and the HTML report show of a run: what happened, what to do
// next, the steps, the gates and the facts. The two lay it out, each with its own escaping; the words are the same.
//
// All text of a [Sheet] went through words.Line: it is on one line and holds no control or invisible characters. It is
// still data, which may hold any markup.
package sheet
