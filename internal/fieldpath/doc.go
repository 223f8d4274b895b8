// Package fieldpath reads the paths by which a description of a router names fields of an object. A path finds what it
// names by what is written there, never by an index, so that it finds the same thing after somebody moved it.
//
//	path      = step { step }
//	step      = "." name           a field; the first one has no dot
//	          | `["` text `"]`     a field whose name has dots or slashes
//	          | "[*]"              every element of a list
//	          | "[" all "]"        the elements of a list of which all conditions hold
//	          | "|json"            what the text of a field says as JSON
//	all       = condition { "," condition }
//	condition = name "=" value { "|" value }
//	value     = characters other than , ] | and quotes, or any in double quotes
//
// A condition holds where the element's field is text, a number or a boolean that reads like one of the values. A field that
// is not there holds only for the empty value: [kind=|Service,name=checkout] is the element named checkout whose kind is
// Service or left out.
package fieldpath
