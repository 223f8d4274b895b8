// Package threshold judges a query's answer by conditions.
//
// The query is rendered for the side that carries the new version. Its answer is what a condition calls result: a number
// for one series, else a vector; a condition that can only be read with a vector (result[0], len(result)) gets a vector of
// one. Conditions are written in the language of expr-lang/expr with Argo Rollouts' functions:
//
//	isNaN(x)  isInf(x)  len(result)  default(result, x)    x where the query answered with no series
//
// When pass is true the gate passes; when fail is true it fails; with only pass, its opposite is fail; with both, neither
// is pending and both is fail.
//
// What is not known is never a pass, nor a failure. A NaN or an empty answer makes a condition unknown, because
// comparisons with NaN are all false and all(result, …) of nothing is true — unless the condition says itself what they
// mean, by calling isNaN, or len or default. Several series where one number is needed, or an index out of range, are
// unknown in any case. An infinity is a number: every request failed where the divisor counts the good ones.
package threshold
