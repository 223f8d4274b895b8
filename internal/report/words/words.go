package words

import (
	"fmt"
	"strconv"
	"time"
)

// Duration is a span with its two largest units: 0.4s, 7s, 5m 3s, 1h 5m, 2d 3h. A negative span counts as none.
func Duration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 50*time.Millisecond:
		return "0s"
	case d < 950*time.Millisecond:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s"
	}
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return two(d, time.Minute, "m", time.Second, "s")
	case d < day:
		return two(d, time.Hour, "h", time.Minute, "m")
	}
	return two(d, day, "d", time.Hour, "h")
}

// two writes d in a large unit and what is left of it in a small one, which is left out when it is zero.
func two(d, large time.Duration, l string, small time.Duration, s string) string {
	text := strconv.Itoa(int(d/large)) + l
	if rest := d % large / small; rest > 0 {
		text += fmt.Sprintf(" %d%s", rest, s)
	}
	return text
}

// Seconds is a span of up to some minutes in seconds, to a tenth: 2.4s. It is for what people compare with other clocks.
func Seconds(d time.Duration) string {
	return strconv.FormatFloat(max(d, 0).Round(100*time.Millisecond).Seconds(), 'f', -1, 64) + "s"
}

// Ago is how long before now something was, such as "2m 5s ago". A time that is not known is "at an unknown time".
func Ago(then, now time.Time) string {
	if then.IsZero() {
		return "at an unknown time"
	}
	if d := now.Sub(then); d >= time.Second {
		return Duration(d) + " ago"
	}
	return "just now"
}

// Count is "1 pod" or "3 pods".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Number is a measured value in four significant digits; none is empty.
func Number(v *float64) string {
	if v == nil {
		return ""
	}
	if a := *v; a > -1e6 && a < 1e6 && (a <= -1e-4 || a >= 1e-4 || a == 0) {
		if a <= -1000 || a >= 1000 {
			return strconv.FormatFloat(a, 'f', 0, 64)
		}
		return strconv.FormatFloat(round(a), 'f', -1, 64)
	}
	return strconv.FormatFloat(*v, 'g', 4, 64)
}

// round keeps four significant digits.
func round(v float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	if err != nil { // what was just written can be read
		return v
	}
	return short
}
