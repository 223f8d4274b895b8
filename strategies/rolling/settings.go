package rolling

import (
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/spec"
)

// settings are what the user's workload says of how its pods are replaced.
type settings struct {
	kind                     string
	recreate                 bool // a Deployment's own type
	manual                   bool // the others' own type is OnDelete
	partition                bool // a StatefulSet's own
	maxSurge, maxUnavailable string
	minReady, deadline       time.Duration // without a deadline: zero
}

// The kinds of workloads.
const (
	deployment  = "Deployment"
	statefulSet = "StatefulSet"
	daemonSet   = "DaemonSet"
)

// usual is maxSurge and maxUnavailable where a Deployment names none.
const usual = "25%"

func settingsOf(workload plan.Object) settings {
	s := settings{kind: plan.RefOf(workload).Kind}
	field, surge, unavailable := "updateStrategy", "0", "1"
	if s.kind == deployment {
		field, surge, unavailable = "strategy", usual, usual
	}
	text := func(name, missing string) string {
		v, found, _ := unstructured.NestedFieldNoCopy(workload, "spec", field, "rollingUpdate", name)
		if !found {
			return missing
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
	kind, _, _ := unstructured.NestedString(workload, "spec", field, "type")
	s.recreate, s.manual = kind == "Recreate", kind == "OnDelete"
	partition, _, _ := unstructured.NestedInt64(workload, "spec", field, "rollingUpdate", "partition")
	s.partition = partition > 0
	s.maxSurge, s.maxUnavailable, s.minReady = text("maxSurge", surge), text("maxUnavailable", unavailable), seconds("minReadySeconds", 0)
	if s.kind == deployment {
		s.deadline = seconds("progressDeadlineSeconds", 600)
	}
	return s
}

// paces are how the pods are replaced on the way forward and back. What the spec leaves out is the user's own, and back it
// goes by the user's own alone, unless that would stop all pods at once.
func (s settings) paces(conf spec.Rolling) (forward, back plan.Pace, err error) {
	forward.MinReady = plan.Duration(conf.MinReady)
	if s.deadline > 0 && conf.MinReady.Std() >= s.deadline {
		return forward, back, fmt.Errorf("spec.strategy.rolling.minReady: %s is not below the Deployment's progressDeadlineSeconds (%s), "+
			"as Kubernetes wants it; lower the one or raise the other", conf.MinReady, s.deadline)
	}
	given := conf.MaxSurge != nil || conf.MaxUnavailable != nil
	switch {
	case given && s.kind == statefulSet:
		return forward, back, errors.New("spec.strategy.rolling: a StatefulSet has no maxSurge, and its maxUnavailable is not to be relied on " +
			"(before Kubernetes 1.35 it is dropped without a word); leave both out: its pods are replaced one by one")
	case given || s.recreate:
		forward.MaxSurge, forward.MaxUnavailable = s.bounds(conf)
	}
	if none(forward.MaxSurge) && none(forward.MaxUnavailable) {
		return forward, back, fmt.Errorf("spec.strategy.rolling: maxSurge and maxUnavailable are both 0, the one that is not in the spec by "+
			"the %s's own settings: no pod could be replaced; set one of them to 1 or more", s.kind)
	}
	if s.kind == daemonSet && given && !none(forward.MaxSurge) && !none(forward.MaxUnavailable) {
		return forward, back, errors.New("spec.strategy.rolling: a DaemonSet cannot have both maxSurge and maxUnavailable; set one of them, and leave the other out")
	}
	if s.recreate {
		back.MaxSurge, back.MaxUnavailable = forward.MaxSurge, forward.MaxUnavailable
	}
	return forward, back, nil
}

// bounds are the spec's maxSurge and maxUnavailable; what it leaves out is the workload's own. A DaemonSet may have only
// one of them, so that naming one leaves the other at 0.
func (s settings) bounds(conf spec.Rolling) (surge, unavailable string) {
	surge, unavailable = s.maxSurge, s.maxUnavailable
	some := func(a *spec.Amount) bool { return a != nil && *a != (spec.Amount{}) }
	switch {
	case s.kind == daemonSet && some(conf.MaxSurge):
		unavailable = "0"
	case s.kind == daemonSet && some(conf.MaxUnavailable):
		surge = "0"
	}
	if conf.MaxSurge != nil {
		surge = conf.MaxSurge.String()
	}
	if conf.MaxUnavailable != nil {
		unavailable = conf.MaxUnavailable.String()
	}
	return surge, unavailable
}

func none(amount string) bool { return amount == "0" || amount == "0%" }

// warnings are what of the settings users may feel.
func (s settings) warnings(forward plan.Pace, size int) []string {
	var list []string
	if s.recreate {
		list = append(list, "The Deployment's own strategy is Recreate; it is rolled all the same, and gets its own strategy back at the end.")
	}
	if s.manual || s.partition {
		list = append(list, fmt.Sprintf("The %s's own updateStrategy (OnDelete, or a partition) would keep pods at the old version; every pod is rolled "+
			"all the same, and it gets its own settings back at the end.", s.kind))
	}
	missing := s.maxUnavailable
	if forward.MaxUnavailable != "" {
		missing = forward.MaxUnavailable
	}
	amount, err := spec.ParseAmount(missing)
	if err == nil && size > 0 && amount.Down(size) >= size {
		if s.kind == statefulSet {
			return append(list, "Its one pod goes before the next one comes: meanwhile nobody is served.")
		}
		list = append(list, fmt.Sprintf("With maxUnavailable %s of %s there may be moments in which no pod is ready.", missing, count(size)))
	}
	return list
}
