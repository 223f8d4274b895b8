// Package metrics defines where the numbers come from that gates judge by.
//
// A [Provider] answers one query with the newest value of every series that it selects. There is one package per
// provider below this one; each runs the suite of package contract against a double of its API, so that a provider
// that is down, slow, strict or talkative looks the same to a gate whoever made it.
//
// Three things are kept apart, because what to do about them differs:
//
//   - An answer without a usable number (no series, NaN) is a [Result], not an error: the gate says what it means.
//   - An [Error] of kind [ErrUnavailable] may go away: the next look may succeed. Short outages are bridged below the
//     provider, by package httpclient, within the context of the look.
//   - Errors of the other kinds stay until a person changes something: the query ([ErrRefused]), the credentials
//     ([ErrAuth]), or the provider's address ([ErrSetup]).
//
// Errors are written for a person, say what to do next, and hold no secrets.
package metrics
