// Package traefik divides requests by a TraefikService, and by IngressRoutes of its own where a rule has to tell users apart.
//
// Weights: the user's TraefikService has the base's Service among spec.weighted.services. A copy of that entry, with the
// candidate's Service as its name, follows it; all weights are multiplied so that others keep their shares. No entry is ever left
// at weight 0: Traefik builds no TraefikService of which one Service has no endpoints (unless it runs with
// allowEmptyServices), whatever its weight, so that a base which starts anew would take everybody down.
//
// Mirror: the base's entry points to a TraefikService of ours, of kind mirroring, whose main service is the base. Traefik sends
// the copies after the main answer has ended, so that a slow or failing candidate costs users nothing; but it reads a request's
// whole body before the base sees it, and keeps it in memory for the copy. The mirror asks for the candidate's
// cluster address (nativeLB), for the same reason as above.
//
// Rings and cohorts: beside each IngressRoute that sends to the TraefikService stands one of ours. For each rule it has one rule for
// requests that go to the candidate and, with cohorts, one for all others, whose service is the draw. The two exclude each
// other, so that both have the user's priority and one more: nothing comes between them and the rule that they repeat but
// rules of exactly that priority, which are repeated, too, again by one higher. So each rule keeps the precedence that it
// has. A rule whose candidate has no endpoints is none to Traefik, and its requests find the user's own.
//
// The draw is a TraefikService with a sticky cookie over one TraefikService per cohort, each of which is the user's own: it answers
// as the base does and only sets the cookie. Its value is Traefik's digest of the cohort's name, its name holds the draw.
// A headers middleware could not do that, it replaces the app's own cookies.
package traefik
