package spec

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Amount is a number of pods, or a share of the workload's. Its text is N or
// N%. One of the two fields is zero.
type Amount struct {
	Pods  int
	Share Percent
}

// maxPods is the largest number of pods that can be written.
const maxPods = 999_999

const podsPattern = `0|[1-9][0-9]{0,5}`

var podsText = regexp.MustCompile(`^(` + podsPattern + `)$`)

// ParseAmount reads N or N%. Its errors carry a hint.
func ParseAmount(text string) (Amount, error) {
	if podsText.MatchString(text) {
		n, err := strconv.Atoi(text)
		return Amount{Pods: n}, err
	}
	if text == "0%" {
		return Amount{}, nil
	}
	if !strings.HasSuffix(text, "%") {
		return Amount{}, hint(fmt.Sprintf("%q is not a number of pods", text), "Write a whole number, such as 2, or a share, such as 25%%.")
	}
	share, err := ParsePercent(text)
	return Amount{Share: share}, err
}

// Of is the amount of a workload of n pods, shares rounded up.
func (a Amount) Of(n int) int { return a.Pods + a.Share.Of(n) }

// Down is Of with shares rounded down.
func (a Amount) Down(n int) int { return a.Pods + int(int64(n)*int64(a.Share)/int64(All)) }

// some tells whether an amount is given that is not 0.
func (a *Amount) some() bool { return a != nil && *a != Amount{} }

// String is N or N%.
func (a Amount) String() string {
	if a.Share != 0 {
		return a.Share.String()
	}
	return strconv.Itoa(a.Pods)
}

// MarshalText writes the amount, see String.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads an amount, see ParseAmount.
func (a *Amount) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAmount(string(text))
	return err
}

func (Amount) pattern() string {
	return `^(` + podsPattern + `|0%|` + strings.TrimSuffix(strings.TrimPrefix(percentPattern, "^"), "$") + `)$`
}
