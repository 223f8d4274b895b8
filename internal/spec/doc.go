// Package spec is the deploy spec: its types, strict decoding, overlays,
// validation, and JSON Schema. It imports nothing of the project but fieldpath.
//
// # One source of truth
//
// The Go types say which fields exist; their tags say what each is called, what
// it means, what it is when left out, and what it may be (see shapeOf).
// Decoder, overlays and schema read nothing else. A field whose feature has not
// landed is not in the types, and so it is an unknown field, never one that is
// silently accepted. To add a strategy is to add a type with tags in a file of
// its own and a field marked oneof in Strategy; the same goes for a router, a
// source, a provider, a kind of gate. That is why the package has many small
// files.
//
// What tags cannot say, a type says in a finish method: defaults that come from
// another field, mistakes between two fields. Units (Percent, Duration,
// Workload) read themselves from text.
//
// # From text to Deploy
//
//  1. readDocuments parses the file to nodes of yaml.v3, which keep positions.
//     Nodes are never encoded again.
//  2. linter finds what is wrong whatever the types: keys that are there twice,
//     merge keys, tags, values that lost their quotes, aliases that explode.
//  3. merger merges the environment's overlay by RFC 7386. It copies mappings
//     and keeps the nodes, so that mistakes point at the overlay's own lines.
//     A one-of block whose kind differs is replaced whole.
//  4. decoder fills the types by reflection and collects every mistake as a
//     Problem: file, line, column, path, cause, remedy.
//
// Load does it for one environment. Check does it for all of them, and says
// which have a mistake that not all have; both look at the document below the
// overlays too, so that what an overlay hides is not accepted unseen.
//
// # Defaults
//
// They are filled in by decoding; a test holds this table against the tags.
//
//	concurrency       supersede
//	deadline          2h
//	progressDeadline  10m
//	guard             2s
//	total             100
//	absent            1
//	bake              0s
//	keepOld           10m
//	settle            offTraffic
//	minPods           1
//	every             10s
//	delay             0s
//	timeout           10s
//	failures          1
//	noData            wait
//	noDataFor         5m
//	approve.timeout   24h
//	onTimeout         undo
//	path              /
//	maxAge            7d
//	sameSite          Lax
//	total             100
//
// A step's hold is the canary's, which is 0s; from is the only metrics entry;
// drain stays nil, which is the pod's grace period; namespace stays empty,
// which is the kubeconfig context's; the ring's hold is the canary's; drift stays
// empty, which is stop; a RouteRef's kind is HTTPRoute; the name of a sticky
// canary's cookie stays empty, which is tidegate-NAME of the service.
//
// # Variables
//
// ${NAME} is kept as text in Expandable and Credential, which print it
// unexpanded. Whoever needs a value expands it when it is used, and masks the
// secrets that Expand gives back beside it. $${ is a literal in every text.
//
// # What stays outside
//
// Nothing here reads the cluster, the file system (but Find, on an fs.FS) or
// the environment. Whether a context, route or label exists, whether a path is
// a link out of the repository, whether a URL may be called, is for those who
// use it.
package spec
