package gates_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/tidegate/tidegate/gates"
)

func TestEvidenceFitsIntoTheRecord(t *testing.T) {
	for _, v := range []float64{0, -1.5, math.NaN(), math.Inf(1), math.Inf(-1)} {
		n := gates.Number(v)
		if _, err := json.Marshal(gates.Verdict{Evidence: gates.Evidence{Value: n}}); err != nil {
			t.Errorf("%v: %v", v, err)
		}
		if finite := !math.IsNaN(v) && !math.IsInf(v, 0); finite != (n != nil) || finite && *n != v {
			t.Errorf("%v became %v", v, n)
		}
	}
}
