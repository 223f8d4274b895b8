// Package github carries the part of GitHub's published REST description that Tidegate uses.
package github

import _ "embed"

//go:embed openapi.json
var openapi string

// Schema is openapi.json, which prune.mjs made: OpenAPI 3.0, as JSON.
func Schema() []byte { return []byte(openapi) }
