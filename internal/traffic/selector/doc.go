// Package selector moves requests without a route: the selector of the workload's own Service points at the base's pods or
// at the candidate's.
//
// A Service has no shares, so every request moves at once, with one write. The selector as the user wrote it is kept in an
// annotation of the Service until it is back. The write is in force when the Service's EndpointSlices name the ready pods
// of the new side and none of the other; until every node follows them a guard has to pass.
//
// A selector that is neither side's was written by somebody else meanwhile. It is not fought: the step fails and says who
// wrote it.
package selector
