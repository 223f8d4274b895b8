package cluster

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tidegate/tidegate/gates"
	"github.com/tidegate/tidegate/internal/engine"
)

const (
	// MaxRecord is the size that a record's ConfigMap never exceeds, in bytes of JSON.
	MaxRecord = 256 << 10

	maxUnpacked = 64 << 20 // what is larger was not written by us
	recordKey   = "record" // in binaryData
	epochKey    = "epoch"  // in data, as all below
	claimKey    = "claim"  // random; tells two claims apart that made the same epoch
)

// encode makes the ConfigMap of a record. One that is too large goes without the pod templates of its history, oldest
// first, then without the texts of its evidence; left says in words what was left out. r stays as it is.
func (s *Store) encode(r *engine.Record, claim string) (obj *unstructured.Unstructured, left string, err error) {
	small := *r
	small.History = slices.Clone(r.History)
	for i := len(small.History); ; i-- {
		var size int
		if obj, size, err = s.pack(&small, claim); err != nil || size <= MaxRecord {
			return obj, left, err
		}
		for i > 0 && small.History[i-1].Template == nil && bareBefore(small.History[i-1]) {
			i--
		}
		switch {
		case i > 0 && !bareBefore(small.History[i-1]):
			small.History[i-1].Before = &engine.Before{Images: small.History[i-1].Before.Images}
			left, i = "pod templates of old rollouts", i+1 // its own template is next
		case i > 0:
			small.History[i-1].Template = nil
			left = "pod templates of old rollouts"
		case i == 0:
			small.Rollout = withoutTexts(small.Rollout)
			left = "all old pod templates and the texts of the gates' evidence"
		default:
			return nil, "", fmt.Errorf("the record %s would have %d KiB, more than the %d KiB that are allowed\n"+
				"the plan holds the workload's manifests: make them smaller (annotations, inline configuration)",
				s.name, size>>10, MaxRecord>>10)
		}
	}
}

// bareBefore tells whether a past rollout holds no template of what ran before it.
func bareBefore(p engine.Past) bool { return p.Before == nil || p.Before.Template == nil }

func (s *Store) pack(r *engine.Record, claim string) (*unstructured.Unstructured, int, error) {
	packed, err := compress(r)
	if err != nil {
		return nil, 0, err
	}
	data := map[string]any{epochKey: strconv.FormatInt(r.Epoch, 10)}
	for k, v := range summary(r) {
		data[k] = v
	}
	if claim != "" {
		data[claimKey] = claim
	}
	obj := s.object(s.last, "v1", "ConfigMap", s.name)
	obj.Object["data"] = data
	obj.Object["binaryData"] = map[string]any{recordKey: base64.StdEncoding.EncodeToString(packed)}
	whole, err := json.Marshal(obj.Object)
	return obj, len(whole), err
}

func compress(r *engine.Record) ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("the record cannot be written as JSON: %w", err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err = z.Write(data)
	err = errors.Join(err, z.Close())
	return b.Bytes(), err
}

// summary is what a person sees of the record without Tidegate.
func summary(r *engine.Record) map[string]string {
	ro := r.Rollout
	if ro == nil {
		return nil
	}
	images := make([]string, 0, len(ro.Plan.Target.Images))
	for container, image := range ro.Plan.Target.Images {
		images = append(images, container+"="+image)
	}
	slices.Sort(images)
	text := map[string]string{
		"id": ro.ID, "phase": string(ro.Phase), "images": strings.Join(images, " "),
		"started": ro.Started.UTC().Format(time.RFC3339), "reason": cut(ro.Reason, maxRequest),
	}
	if ro.Step >= 0 && ro.Step < len(ro.Plan.Steps) {
		if step, _, waits := ro.Waiting(); waits {
			text["waits"] = cut("for an approval: "+step.Approve.Message, maxRequest)
		}
		if _, until, holds := ro.Holding(); holds {
			text["waits"] = "until " + until.UTC().Format(time.RFC3339) + ", when its hold is over"
		}
		text["step"] = fmt.Sprintf("%s (%d of %d)", ro.Plan.Steps[ro.Step].ID, ro.Step+1, len(ro.Plan.Steps))
	}
	return text
}

// decode reads a record. The epoch is the one in data: it is what fences.
func decode(obj *unstructured.Unstructured) (*engine.Record, error) {
	text, _, _ := unstructured.NestedString(obj.Object, "binaryData", recordKey)
	r, err := unpack(text)
	if err == nil {
		if epoch, ok := epochIn(obj); ok {
			r.Epoch = epoch
		}
		return r, nil
	}
	return nil, fmt.Errorf("the record cannot be read: %w\n"+
		"somebody changed it; when no rollout is in flight: kubectl delete configmap -n %s %s", err, obj.GetNamespace(), obj.GetName())
}

func unpack(text string) (*engine.Record, error) {
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(z, maxUnpacked))
	if err != nil {
		return nil, err
	}
	r := &engine.Record{}
	return r, json.Unmarshal(data, r)
}

// epochOf is the epoch of a stored record; an error means that it cannot be told.
func epochOf(obj *unstructured.Unstructured) (int64, error) {
	if epoch, ok := epochIn(obj); ok {
		return epoch, nil
	}
	r, err := decode(obj)
	if err != nil {
		return 0, err
	}
	return r.Epoch, nil
}

func epochIn(obj *unstructured.Unstructured) (int64, bool) {
	text, _, _ := unstructured.NestedString(obj.Object, "data", epochKey)
	epoch, err := strconv.ParseInt(text, 10, 64)
	return epoch, err == nil
}

func claimOf(obj *unstructured.Unstructured) string {
	text, _, _ := unstructured.NestedString(obj.Object, "data", claimKey)
	return text
}

// withoutTexts is a copy of a rollout whose evidence keeps its numbers only.
func withoutTexts(ro *engine.Rollout) *engine.Rollout {
	if ro == nil {
		return nil
	}
	c := *ro
	c.Steps = slices.Clone(ro.Steps)
	for i, step := range c.Steps {
		tallies := make(map[string]engine.Tally, len(step.Gates))
		for name, t := range step.Gates {
			t.Last.Evidence = bare(t.Last.Evidence)
			if t.Worst != nil {
				worst := *t.Worst
				worst.Evidence = bare(worst.Evidence)
				t.Worst = &worst
			}
			tallies[name] = t
		}
		c.Steps[i].Gates = tallies
	}
	return &c
}

func bare(e gates.Evidence) gates.Evidence { return gates.Evidence{Value: e.Value} }
