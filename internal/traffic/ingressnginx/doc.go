// Package ingressnginx splits the requests of an Ingress by the canary annotations of ingress-nginx.
//
// The user's Ingress stays as it is. A rollout makes a second one beside it, with the same hosts and paths, the candidate's
// Service in the place of the base's, and canary: "true" from its first moment: an Ingress with that and without a weight
// gets no request, one without it would be a second owner of the same paths. The splits are annotations of that object.
//
// A controller keeps the canary with the Service and the port that it stands beside, not with the path: whatever sends to
// them, by any path of any Ingress that it serves in the namespace, is divided too. So the second Ingress does not have to
// follow when somebody adds a path.
//
// Only a copy of the requests has to be asked of the user's Ingress itself (mirror-target); its annotations are kept in our
// mark and come back as they were.
package ingressnginx
