package cluster

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	// LeaseDuration is how long a Lease counts that nobody renews.
	LeaseDuration = 15 * time.Second
	// RenewEvery is the time between two renewals.
	RenewEvery = 5 * time.Second

	microTime = "2006-01-02T15:04:05.000000Z07:00"
)

// The fields of a Lease's spec.
const (
	fieldHolder      = "holderIdentity"
	fieldDuration    = "leaseDurationSeconds"
	fieldAcquired    = "acquireTime"
	fieldRenewed     = "renewTime"
	fieldTransitions = "leaseTransitions"
)

// lease reads the spec of a Lease; nil is one that does not exist.
type lease struct{ *unstructured.Unstructured }

func (l lease) exists() bool { return l.Unstructured != nil }

func (l lease) text(field string) string {
	if !l.exists() {
		return ""
	}
	s, _, _ := unstructured.NestedString(l.Object, "spec", field)
	return s
}

func (l lease) number(field string) int64 {
	if !l.exists() {
		return 0
	}
	n, _, _ := unstructured.NestedInt64(l.Object, "spec", field)
	return n
}

// identity is the whole holderIdentity; "" means released.
func (l lease) identity() string { return l.text(fieldHolder) }

// holder is the identity without its nonce.
func (l lease) holder() string {
	identity := l.identity()
	if i := strings.LastIndexByte(identity, '#'); i > 0 {
		return identity[:i]
	}
	return identity
}

// duration is how long the lease counts without a renewal.
func (l lease) duration() time.Duration {
	if s := l.number(fieldDuration); s > 0 {
		return time.Duration(s) * time.Second
	}
	return LeaseDuration
}

// since is when the holder took it, by the holder's clock: to be shown, not to be reckoned with.
func (l lease) since() time.Time {
	t, _ := time.Parse(time.RFC3339Nano, l.text(fieldAcquired))
	return t
}

// stamp differs between two versions of a lease that its holder has touched in between.
func (l lease) stamp() string {
	if !l.exists() {
		return ""
	}
	return fmt.Sprintf("%s %s %s %d", l.GetUID(), l.identity(), l.text(fieldRenewed), l.number(fieldTransitions))
}

// setSpec puts fields into the spec and keeps the others; a nil value removes its field.
func setSpec(obj *unstructured.Unstructured, fields map[string]any) {
	spec, _, _ := unstructured.NestedMap(obj.Object, "spec")
	if spec == nil {
		spec = map[string]any{}
	}
	for k, v := range fields {
		if v == nil {
			delete(spec, k)
			continue
		}
		spec[k] = v
	}
	obj.Object["spec"] = spec
}
