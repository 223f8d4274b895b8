package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// APIVersion and Kind mark a document as a deploy spec of this version.
const (
	APIVersion = "tidegate.dev/v1"
	Kind       = "Deploy"
)

// File is one spec file: every document of it is one service.
type File struct {
	Deploys []Deploy `json:"deploys"`
}

// Deploy is one service's spec with its overlay merged and its defaults
// filled in. It is plain data: it marshals to JSON in the shape of the spec
// and back, and holds ${NAME} references, never their values.
type Deploy struct {
	APIVersion string   `json:"apiVersion" spec:"required,enum=tidegate.dev/v1" doc:"version of the spec's format"`
	Kind       string   `json:"kind" spec:"required,enum=Deploy" doc:"kind of the document"`
	Metadata   Metadata `json:"metadata" spec:"required" doc:"what the service is called"`
	Spec       Spec     `json:"spec" spec:"required" doc:"what is deployed, how and how it is watched"`

	// Environment is the overlay that was merged, empty without one. It is
	// not a field of the document.
	Environment string `json:"-" spec:"-"`

	// whole is the digest of the spec that this is one stage of, empty for a
	// whole one.
	whole string `spec:"-"`
}

// Metadata names the service.
type Metadata struct {
	Name string `json:"name" spec:"required,format=name" doc:"name of the service; --name chooses by it"`
}

// Spec says what is deployed, how it is carried to users, and what watches.
type Spec struct {
	Workload         Workload            `json:"workload" spec:"required" doc:"the workload to deploy, as kind/name"`
	Namespace        string              `json:"namespace,omitempty" spec:"format=name" doc:"namespace of the workload; the kubeconfig context's when left out"`
	Context          string              `json:"context,omitempty" doc:"kubeconfig context to use; the current one when left out"`
	URL              string              `json:"url,omitempty" spec:"format=url" doc:"the environment's URL, shown where people look"`
	Service          string              `json:"service,omitempty" spec:"format=name" doc:"the Service of the workload; the only one that selects it when left out"`
	Container        string              `json:"container,omitempty" spec:"format=name" doc:"container that gets the image; the only one when left out"`
	Traffic          *Traffic            `json:"traffic,omitempty" doc:"what divides the requests"`
	Strategy         Strategy            `json:"strategy" spec:"required" doc:"how the new version is carried to users"`
	Metrics          map[string]Provider `json:"metrics,omitempty" spec:"format=name" doc:"providers of numbers, by the name that gates use"`
	Gates            []Gate              `json:"gates,omitempty" doc:"judgements that watch the rollout"`
	Concurrency      Concurrency         `json:"concurrency" spec:"default=supersede,enum=supersede|queue|reject" doc:"what to do when another rollout of the workload is in flight"`
	Deadline         Duration            `json:"deadline" spec:"default=2h,positive" doc:"longest time of the whole rollout, then undo"`
	ProgressDeadline Duration            `json:"progressDeadline" spec:"default=10m,positive" doc:"longest time without progress, then undo"`
	Environments     Environments        `json:"environments,omitempty" doc:"overlays of this spec, one per environment"`
}

// Concurrency says what a rollout does when it finds another one in flight.
type Concurrency string

// The answers to another rollout in flight.
const (
	Supersede Concurrency = "supersede" // ask it to undo itself, then start from the base
	Queue     Concurrency = "queue"     // wait for its end
	Reject    Concurrency = "reject"    // stop with the exit code for a held lock
)

// Environments is the sorted names of the overlays in the document. The
// overlays themselves are merged before decoding and not kept.
type Environments []string

// Digest identifies the target that the spec describes, as "sha256:<hex>". It
// covers the merged spec with its defaults and unexpanded text. Left out is
// what says where to look, not what to do: the context's name, the URL that
// is shown, the answer to another rollout, and the list of environments. A
// stage has the digest of the whole.
func (d Deploy) Digest() string {
	if d.whole != "" {
		return d.whole
	}
	d.Spec.Context, d.Spec.URL, d.Spec.Concurrency, d.Spec.Environments = "", "", "", nil
	text, err := json.Marshal(d)
	if err != nil { // plain data: only a type that cannot be marshalled gets here
		panic(fmt.Sprintf("spec: digest of %s: %v", d.Metadata.Name, err))
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// MetricsInUse is the sorted names of the providers that a gate asks.
func (d Deploy) MetricsInUse() []string {
	var names []string
	for _, g := range d.Spec.Gates {
		if from := g.from(); from != nil && *from != "" {
			names = append(names, *from)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
