package canary

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
	"github.com/tidegate/tidegate/strategies"
)

// last is the greatest share of a canary whose base is rolled under the rest of the requests.
func last(in strategies.Input, weights []spec.Step) (plan.Share, error) {
	share := plan.Share(weights[len(weights)-1].Weight)
	if share >= plan.All {
		return 0, errors.New("spec.strategy.canary.settle: inPlace rolls the base under its share of the requests, and the last step leaves it none; " +
			"end with a smaller share, or remove settle: inPlace")
	}
	if kind, _, _ := unstructured.NestedString(in.Baseline.Workload, "spec", "strategy", "type"); kind == "Recreate" {
		return 0, fmt.Errorf("spec.strategy.canary.settle: inPlace would stop all pods of %s at once, for its own strategy is Recreate, while they have %s "+
			"of the requests; give it the type RollingUpdate, or remove settle: inPlace", plan.RefOf(in.Baseline.Workload), plan.All-share)
	}
	return share, nil
}

// inPlaceNote says what is saved and what is risked.
func (c compiler) inPlaceNote() string {
	size := c.Objects.Size
	most := c.sized(plan.ScaleCandidate, len(c.weights)-1).PodsFor(size)
	return fmt.Sprintf("The candidate never runs more than %d beside the base's %d (settle: inPlace): room for %d is enough, where a base that settles "+
		"off traffic needs %d. For that the base's pods stop under %s of the requests, by the Deployment's own rolling parameters, there and "+
		"back: a service that exits at once on SIGTERM loses some; a preStop hook that sleeps closes the gap.",
		most, size, size+most, 2*size, plan.All-c.Last)
}
