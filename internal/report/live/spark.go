package live

import "github.com/tidegate/tidegate/gates"

var levels = []rune("▁▂▃▄▅▆▇█")

// spark draws the last n values of a gate, failures in red. A look without a value is a gap.
func spark(points []point, n int) row {
	points = points[max(0, len(points)-n):]
	low, high := scale(points)
	var r row
	for _, p := range points {
		c := cell{cyan, "·"}
		if p.value != nil {
			c.text = string(levels[level(*p.value, low, high)])
		}
		switch {
		case p.outcome == gates.Fail:
			c.style = red
		case p.outcome != gates.Pass:
			c.style = yellow
		}
		if last := len(r) - 1; last >= 0 && r[last].style == c.style {
			r[last].text += c.text
			continue
		}
		r = append(r, c)
	}
	return r
}

// scale begins at zero, so that a small change looks small. Values that differ by less than half stay in the middle.
func scale(points []point) (low, high float64) {
	least, most, some := 0.0, 0.0, false
	for _, p := range points {
		if p.value == nil {
			continue
		}
		if !some {
			least, most, some = *p.value, *p.value, true
		}
		least, most = min(least, *p.value), max(most, *p.value)
	}
	if least > most/2 && least > 0 {
		return 0, most * 2
	}
	return min(least, 0), most
}

func level(v, low, high float64) int {
	if high <= low {
		return 0
	}
	top := float64(len(levels) - 1)
	return int(min(max((v-low)/(high-low)*top+0.5, 0), top))
}
