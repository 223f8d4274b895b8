package strategies

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/plan"
)

// DetachNotes say in which holds nobody watches, and who goes on afterwards; none where a run stays in every hold.
func DetachNotes(steps []plan.Step) []string {
	var holds []string
	for _, s := range steps {
		if s.Detach {
			holds = append(holds, fmt.Sprintf("%s (%s)", s.ID, brief(time.Duration(s.Hold))))
		}
	}
	if len(holds) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("In the hold of %s the run ends once every gate has been asked (detach: true), unless it runs with --wait: nobody "+
		"watches until a later `tidegate deploy --resume`, which a schedule has to run. The deadline goes on meanwhile.", strings.Join(holds, ", "))}
}

// brief is a duration without zero minutes and seconds at its end.
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
