// Package words writes spans of time, images and foreign text so that a person reads them at a glance.
//
// Foreign text is what a container, a branch or the cluster says. [Clean] takes out of it everything that a terminal or
// a CI system would obey instead of showing, so that what is printed is what was said and nothing more.
package words
