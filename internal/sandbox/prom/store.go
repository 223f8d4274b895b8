package prom

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

const retained = 2 * 3600 // samples of a series

// store keeps the samples of each series, oldest first.
type store struct {
	mu     sync.RWMutex
	series map[uint64]*series
}

type series struct {
	labels  labels.Labels
	samples []sample
}

type sample struct {
	t int64 // milliseconds
	v float64
}

func (s sample) T() int64                      { return s.t }
func (s sample) F() float64                    { return s.v }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

// sampleList is what the engine's iterator reads.
type sampleList []sample

func (s sampleList) Get(i int) chunks.Sample { return s[i] }
func (s sampleList) Len() int                { return len(s) }

// add appends one sample; one that is not newer than the last is dropped.
func (s *store) add(l labels.Labels, t int64, v float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := l.Hash()
	one := s.series[id]
	if one == nil {
		one = &series{labels: l}
		s.series[id] = one
	}
	if n := len(one.samples); n > 0 && one.samples[n-1].t >= t {
		return
	}
	one.samples = append(one.samples, sample{t, v})
	if len(one.samples) > 2*retained {
		one.samples = slices.Clone(one.samples[retained:])
	}
}

func (s *store) stale(l labels.Labels, t int64) { s.add(l, t, math.Float64frombits(value.StaleNaN)) }

// Querier sees the samples from mint to maxt.
func (s *store) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{store: s, mint: mint, maxt: maxt}, nil
}

type querier struct {
	store      *store
	mint, maxt int64
}

var _ storage.Querier = (*querier)(nil)

func (q *querier) Close() error { return nil }

func (q *querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (q *querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (q *querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	q.store.mu.RLock()
	defer q.store.mu.RUnlock()
	found := &found{at: -1}
	for _, one := range q.store.series {
		if matches(one.labels, matchers) {
			found.list = append(found.list, series{one.labels, q.cut(one.samples)})
		}
	}
	slices.SortFunc(found.list, func(a, b series) int { return labels.Compare(a.labels, b.labels) })
	return found
}

func (q *querier) cut(all []sample) []sample {
	from, _ := slices.BinarySearchFunc(all, q.mint, func(s sample, t int64) int { return int(s.t - t) })
	to, _ := slices.BinarySearchFunc(all, q.maxt+1, func(s sample, t int64) int { return int(s.t - t) })
	return all[from:to:to]
}

func matches(l labels.Labels, matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(l.Get(m.Name)) {
			return false
		}
	}
	return true
}

// found is the answer of a Select.
type found struct {
	list []series
	at   int
}

func (f *found) Next() bool                        { f.at++; return f.at < len(f.list) }
func (f *found) At() storage.Series                { return f.list[f.at] }
func (f *found) Err() error                        { return nil }
func (f *found) Warnings() annotations.Annotations { return nil }

func (s series) Labels() labels.Labels { return s.labels }

func (s series) Iterator(chunkenc.Iterator) chunkenc.Iterator {
	return storage.NewListSeriesIterator(sampleList(s.samples))
}
