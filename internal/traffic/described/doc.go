// Package described splits objects of any kind by a description: where the weights of the two versions stand, where a copy of
// requests is asked for, and what is true when the data plane has taken the object. Descriptions of common routers are in
// the folder routers; the spec's custom block is one that the user writes. No router that is no more than this needs code.
//
// The paths of the two weights are alike but for one place (fieldpath.Sides). Where that is an element of a list, the list
// is a place that is divided if the base's element is in it: the candidate's element is a copy of the base's with the fields
// of its selector set, right after it, and is taken out again by Restore. Where others have weights beside the base, all
// are multiplied, so that the others keep their shares exactly. Where the two are fields of an object, both are set.
//
// The rules of a ring are written by a template, and put before all others. They are found again by what was written, which
// the API may have added defaults to, or, where somebody changed them, by the candidate's name.
//
// The annotation keeps the weights as they were, by what tells elements apart and not by their index, and every text of JSON
// that is rewritten: Restore gives it back byte for byte, unless somebody else changed what it says.
package described
