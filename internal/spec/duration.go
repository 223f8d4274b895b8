package spec

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a time span, never negative. Its text is Go's, with days before
// everything else: 30s, 1h30m, 1d12h.
type Duration time.Duration

// maxDuration is the longest span that can be written, so that adding a few
// of them cannot overflow.
const maxDuration = 10 * 365 * 24 * time.Hour

const (
	daysPattern     = `[0-9]{1,4}(\.[0-9]{1,9})?d`
	partPattern     = `[0-9]{1,12}(\.[0-9]{1,9})?(h|m|s|ms|us|µs|ns)`
	durationPattern = `^(` + daysPattern + `(` + partPattern + `)*|(` + partPattern + `)+)$`
	zeroPattern     = `^(0+(\.0+)?(d|h|m|s|ms|us|µs|ns))+$`
)

var (
	durationText = regexp.MustCompile(durationPattern)
	bareNumber   = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
)

// ParseDuration reads a duration. Its errors carry a hint.
func ParseDuration(text string) (Duration, error) {
	if !durationText.MatchString(text) {
		return 0, durationError(text)
	}
	var total time.Duration
	rest := text
	if days, after, found := strings.Cut(text, "d"); found {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil {
			return 0, durationError(text)
		}
		total, rest = time.Duration(n*24*float64(time.Hour)), after
	}
	if rest != "" {
		part, err := time.ParseDuration(rest)
		if err != nil || part > maxDuration { // only its size can be wrong
			return 0, tooLong(text)
		}
		total += part
	}
	if total > maxDuration {
		return 0, tooLong(text)
	}
	return Duration(total), nil
}

func tooLong(text string) error {
	return hint(fmt.Sprintf("%s is too long", text), "The longest duration is ten years.")
}

// durationError explains a text that is not a duration.
func durationError(text string) error {
	switch {
	case bareNumber.MatchString(text):
		return hint(fmt.Sprintf("%s has no unit", text), "Write %ss.", text)
	case strings.HasPrefix(text, "-"):
		return hint(fmt.Sprintf("%s is negative", text), "A duration is zero or more.")
	}
	return hint(fmt.Sprintf("%q is not a duration", text), "Write a number with a unit, such as 30s, 5m, 1h30m or 2d.")
}

// Std is the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String is the shortest of Go's forms: 2h, not 2h0m0s.
func (d Duration) String() string {
	text := d.Std().String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText writes the duration, see String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a duration, see ParseDuration.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDuration(string(text))
	return err
}

func (Duration) pattern() string { return durationPattern }
