package spec

import (
	"encoding/json"
	"testing"
	"time"
)

func TestPercent(t *testing.T) {
	tests := []struct {
		text string
		want Percent // 0: refused
		back string
	}{
		{"1%", 1000, "1%"},
		{"25%", 25000, "25%"},
		{"100%", All, "100%"},
		{"100.000%", All, "100%"},
		{"12.5%", 12500, "12.5%"},
		{"12.50%", 12500, "12.5%"},
		{"0.001%", 1, "0.001%"},
		{"0.01%", 10, "0.01%"},
		{"33.333%", 33333, "33.333%"},
		{text: "0%"}, {text: "0.0%"}, {text: "0.000%"}, {text: "100.001%"}, {text: "101%"}, {text: "-1%"}, {text: "05%"},
		{text: "1.2345%"}, {text: "25"}, {text: "%"}, {text: ""}, {text: "1e1%"}, {text: "NaN%"}, {text: "٣%"}, {text: " 5%"}, {text: "5%%"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := ParsePercent(tt.text)
			if got != tt.want || (err == nil) != (tt.want != 0) {
				t.Fatalf("got %d, %v", got, err)
			}
			if err == nil && got.String() != tt.back {
				t.Errorf("prints %s, want %s", got, tt.back)
			}
		})
	}
}

func TestPercentArithmetic(t *testing.T) {
	tests := []struct {
		share    Percent
		n, want  int
		whole    int
		exact    bool
		fraction float64
	}{
		{5 * OnePercent, 10, 1, 5, true, 0.05},
		{50 * OnePercent, 10, 5, 50, true, 0.5},
		{51 * OnePercent, 10, 6, 51, true, 0.51},
		{12500, 8, 1, 12, false, 0.125},
		{All, 7, 7, 100, true, 1},
		{1, 1000, 1, 0, false, 0.00001},
		{All, 0, 0, 100, true, 1},
	}
	for _, tt := range tests {
		t.Run(tt.share.String(), func(t *testing.T) {
			if got := tt.share.Of(tt.n); got != tt.want {
				t.Errorf("of %d pods: %d, want %d", tt.n, got, tt.want)
			}
			if whole, exact := tt.share.Whole(); whole != tt.whole || exact != tt.exact {
				t.Errorf("whole: %d, %v", whole, exact)
			}
			if got := tt.share.Fraction(); got != tt.fraction {
				t.Errorf("fraction: %v, want %v", got, tt.fraction)
			}
		})
	}
}

func TestDuration(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration // -1: refused
		back string
	}{
		{"0s", 0, "0s"},
		{"30s", 30 * time.Second, "30s"},
		{"90s", 90 * time.Second, "1m30s"},
		{"2h", 2 * time.Hour, "2h"},
		{"10m", 10 * time.Minute, "10m"},
		{"1h30m", 90 * time.Minute, "1h30m"},
		{"1d", 24 * time.Hour, "24h"},
		{"1.5d", 36 * time.Hour, "36h"},
		{"1d12h30m", 36*time.Hour + 30*time.Minute, "36h30m"},
		{"250ms", 250 * time.Millisecond, "250ms"},
		{"1.5h", 90 * time.Minute, "1h30m"},
		{"3650d", maxDuration, "87600h"},
		{text: "3651d", want: -1}, {text: "9999999999h", want: -1}, {text: "3650d1s", want: -1}, {text: "", want: -1}, {text: "30", want: -1},
		{text: "-30s", want: -1}, {text: "+30s", want: -1}, {text: "12h1d", want: -1}, {text: "d", want: -1}, {text: "1w", want: -1},
		{text: "1:30", want: -1}, {text: ".5s", want: -1}, {text: "1 s", want: -1}, {text: "0", want: -1}, {text: "1dd", want: -1},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := ParseDuration(tt.text)
			if (err != nil) != (tt.want < 0) || err == nil && got.Std() != tt.want {
				t.Fatalf("got %s, %v", got, err)
			}
			if err == nil && got.String() != tt.back {
				t.Errorf("prints %s, want %s", got, tt.back)
			}
			if again, err := ParseDuration(got.String()); err != nil || again != got {
				t.Errorf("reads its own text as %s, %v", again, err)
			}
		})
	}
}

func TestUnitsAreTextInJSON(t *testing.T) {
	step := Step{Weight: 12500, Hold: Duration(90 * time.Minute)}
	text, err := json.Marshal(step)
	if want := `{"weight":"12.5%","hold":"1h30m"}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
	var again Step
	if err := json.Unmarshal(text, &again); err != nil || again != step {
		t.Errorf("got %+v, %v", again, err)
	}
}
