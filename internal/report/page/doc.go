// Package page writes what came of a run as one HTML file: what happened, what to do next, a chart, the steps, the gates and
// the facts. The file needs nothing else: no script, no font, no picture from elsewhere. It follows the reader's light or
// dark mode, fits a phone, and can be printed.
//
// html/template does all escaping; nothing here is marked as safe but what is written in this package.
package page
