// Package contract is the suite that every kind of router passes: what a split does to requests, and what it leaves of the
// user's objects.
//
// It runs on the embedded cluster with the router's own objects. The two sides are Services of the same names for every
// router: shop is the base, whose pods answer v1, and shop-candidate the candidate, whose pods answer v2. Where the
// embedded gateway does not obey the objects of a router, the suite looks at the objects alone, which says less.
package contract
