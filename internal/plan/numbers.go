package plan

import (
	"encoding/json"
	"math"
)

// UnmarshalJSON reads a stored baseline. Whole numbers inside objects become int64 again, as they came from the API: a
// plan compiled from a stored baseline must be the one that was compiled from the observed one.
func (b *Baseline) UnmarshalJSON(data []byte) error {
	type plain Baseline
	if err := json.Unmarshal(data, (*plain)(b)); err != nil {
		return err
	}
	for _, o := range append(append([]Object{b.Workload, b.Service, b.Scaler}, b.Routes...), b.Selecting...) {
		wholeNumbers(o)
	}
	return nil
}

// UnmarshalJSON reads the objects of a stored plan, with whole numbers as int64.
func (o *Objects) UnmarshalJSON(data []byte) error {
	type plain Objects
	if err := json.Unmarshal(data, (*plain)(o)); err != nil {
		return err
	}
	for _, object := range append(append([]Object{o.Templates[Base], o.Templates[Candidate]}, o.Create...), o.Originals...) {
		wholeNumbers(object)
	}
	return nil
}

// Whole is a stored object with its whole numbers as int64 again, as they came from the API. It changes o.
func Whole(o Object) Object {
	wholeNumbers(o)
	return o
}

// wholeNumbers turns what JSON decoding made float64, and what is whole, into int64, in place.
func wholeNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v {
			v[key] = wholeNumbers(child)
		}
	case []any:
		for i, child := range v {
			v[i] = wholeNumbers(child)
		}
	case float64:
		const exact = 1 << 53
		if v == math.Trunc(v) && math.Abs(v) < exact {
			return int64(v)
		}
	}
	return v
}
