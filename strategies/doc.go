// Package strategies defines how a new version is carried to users.
//
// A [Strategy] compiles a deploy spec and the observed baseline into a plan. Compiling is pure: no context, no cluster,
// no clock. Each strategy has a package of its own below this one; what several of them need — the candidate beside
// the base — is here.
package strategies
