package spec

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Percent is a share, exact, in thousandths of a percent. Its text is N%.
type Percent int64

// OnePercent and All are shares to compute with.
const (
	OnePercent Percent = 1000
	All                = 100 * OnePercent
)

const percentPattern = `^(100(\.0{1,3})?|[1-9][0-9]?(\.[0-9]{1,3})?|0\.(00[1-9]|0[1-9][0-9]?|[1-9][0-9]{0,2}))%$`

var percentText = regexp.MustCompile(percentPattern)

// ParsePercent reads N%, 0 < N ≤ 100, with up to three decimals. Its errors
// carry a hint.
func ParsePercent(text string) (Percent, error) {
	if !percentText.MatchString(text) {
		return 0, percentError(text)
	}
	whole, fraction, _ := strings.Cut(strings.TrimSuffix(text, "%"), ".")
	n, err := strconv.ParseInt(whole+(fraction + "000")[:3], 10, 64)
	if err != nil {
		return 0, percentError(text)
	}
	return Percent(n), nil
}

// percentError explains a text that is not N%.
func percentError(text string) error {
	number, unit := strings.CutSuffix(text, "%")
	n, err := strconv.ParseFloat(number, 64)
	switch {
	case unit && err == nil && (n <= 0 || n > 100):
		return hint(fmt.Sprintf("%s is not a share", text), "A share is more than 0%% and at most 100%%.")
	case unit: // the digits are wrong
	case err == nil && n > 0 && n < 1:
		return hint(fmt.Sprintf("%s has no unit", text), "Write %s%%.", strconv.FormatFloat(n*100, 'f', -1, 64))
	case err == nil && n >= 1 && n <= 100:
		return hint(fmt.Sprintf("%s has no unit", text), "Write %s%%.", text)
	}
	return hint(fmt.Sprintf("%q is not a share", text), "Write a number with a percent sign and at most three decimals, such as 25%%.")
}

// String is the shortest text of the share, such as 12.5%.
func (p Percent) String() string {
	text := strconv.FormatInt(int64(p/OnePercent), 10)
	if rest := p % OnePercent; rest != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%03d", rest), "0")
	}
	return text + "%"
}

// Whole is the number of percents, and whether that is exact: routers with
// integer weights refuse fractions.
func (p Percent) Whole() (n int, exact bool) { return int(p / OnePercent), p%OnePercent == 0 }

// Fraction is the share as a part of one.
func (p Percent) Fraction() float64 { return float64(p) / float64(All) }

// Of is the share of n whole things, rounded up: the pods for a weight.
func (p Percent) Of(n int) int { return int((int64(n)*int64(p) + int64(All) - 1) / int64(All)) }

// MarshalText writes N%.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads N%, see ParsePercent.
func (p *Percent) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePercent(string(text))
	return err
}

func (Percent) pattern() string { return percentPattern }
