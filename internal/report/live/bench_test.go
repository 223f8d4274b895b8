package live_test

import (
	"testing"

	"github.com/tidegate/tidegate/internal/report/live"
)

func BenchmarkFrame(b *testing.B) {
	for _, name := range []string{"good-25", "bad-turned"} {
		state, now := scenes()[name]()
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				live.Frame(state, 120, 40, now)
			}
		})
	}
}
