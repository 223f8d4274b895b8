package rolling

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// settings are what the user's Deployment says of how its pods are replaced.
type settings struct {
	recreate                 bool
	maxSurge, maxUnavailable string
	minReady, deadline       time.Duration
}

// usual is maxSurge and maxUnavailable where a Deployment names none.
const usual = "25%"

func settingsOf(workload plan.Object) settings {
	text := func(field string) string {
		v, found, _ := unstructured.NestedFieldNoCopy(workload, "spec", "strategy", "rollingUpdate", field)
		if !found {
			return usual
		}
		return fmt.Sprint(v)
	}
	seconds := func(field string, missing int64) time.Duration {
		n, found, _ := unstructured.NestedInt64(workload, "spec", field)
		if !found {
			n = missing
		}
		return time.Duration(n) * time.Second
	}
	kind, _, _ := unstructured.NestedString(workload, "spec", "strategy", "type")
	return settings{recreate: kind == "Recreate", maxSurge: text("maxSurge"), maxUnavailable: text("maxUnavailable"),
		minReady: seconds("minReadySeconds", 0), deadline: seconds("progressDeadlineSeconds", 600)}
}

// paces are how the pods are replaced on the way forward and back. What the spec leaves out is the user's own, and back it
// goes by the user's own alone, unless that would stop all pods at once.
func (s settings) paces(conf spec.Rolling) (forward, back plan.Pace, err error) {
	if conf.MaxSurge != nil || conf.MaxUnavailable != nil || s.recreate {
		forward.MaxSurge, forward.MaxUnavailable = s.maxSurge, s.maxUnavailable
		if conf.MaxSurge != nil {
			forward.MaxSurge = conf.MaxSurge.String()
		}
		if conf.MaxUnavailable != nil {
			forward.MaxUnavailable = conf.MaxUnavailable.String()
		}
	}
	if none(forward.MaxSurge) && none(forward.MaxUnavailable) {
		return forward, back, errors.New("spec.strategy.rolling: maxSurge and maxUnavailable are both 0, the one that is not in the spec by " +
			"the Deployment's own spec.strategy: no pod could be replaced; set one of them to 1 or more")
	}
	if s.recreate {
		back = forward
	}
	forward.MinReady = plan.Duration(conf.MinReady)
	if conf.MinReady.Std() >= s.deadline {
		return forward, back, fmt.Errorf("spec.strategy.rolling.minReady: %s is not below the Deployment's progressDeadlineSeconds (%s), "+
			"as Kubernetes wants it; lower the one or raise the other", conf.MinReady, s.deadline)
	}
	return forward, back, nil
}

func none(amount string) bool { return amount == "0" || amount == "0%" }

// warnings are what of the settings users may feel.
func (s settings) warnings(forward plan.Pace, size int) []string {
	var list []string
	if s.recreate {
		list = append(list, "The Deployment's own strategy is Recreate; it is rolled all the same, and gets its own strategy back at the end.")
	}
	missing := s.maxUnavailable
	if forward.MaxUnavailable != "" {
		missing = forward.MaxUnavailable
	}
	amount, err := spec.ParseAmount(missing)
	if err == nil && size > 0 && amount.Down(size) >= size {
		list = append(list, fmt.Sprintf("With maxUnavailable %s of %s there may be moments in which no pod is ready.", missing, count(size)))
	}
	return list
}
