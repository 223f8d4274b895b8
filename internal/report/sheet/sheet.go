package sheet

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/internal/engine"
	"github.com/tidegate/tidegate/internal/plan"
	"github.com/tidegate/tidegate/internal/report"
	"github.com/tidegate/tidegate/internal/report/timeline"
	"github.com/tidegate/tidegate/internal/report/words"
)

// Input is all that a report is made of. Only End.Result is required.
type Input struct {
	End      report.End
	Timeline timeline.Data

	Environment   string
	RunURL        string
	DeploymentURL string
	CommitSHA     string
	// DryRun is the plan as text, when nothing was to be touched; the report then shows it instead of an ending.
	DryRun string
}

// Sheet is what a report shows.
type Sheet struct {
	Tone     Tone
	Closing  report.Closing
	Timeline timeline.Data
	Zone     *time.Location
	Steps    []Step
	Gates    []Gate
	Curves   []Curve
	Facts    []Fact
	Links    []Link
	DryRun   []string // lines
}

// Tone is how a run's end is meant.
type Tone string

// The tones.
const (
	Good    Tone = "good"
	Bad     Tone = "bad"
	Doubt   Tone = "doubt"   // nothing is broken, and it is not what was asked for
	Waiting Tone = "waiting" // the rollout stands still until somebody carries it on
)

// Fact is a labelled text. Code says that it is an identifier, to be shown letter by letter.
type Fact struct {
	Label string
	Text  string
	Code  bool
}

// Link is an address of ours; URL is http or https.
type Link struct{ Label, URL string }

// New makes the sheet.
func New(in Input) Sheet {
	s := Sheet{Tone: tone(in.End.Result), Closing: in.End.Closing(), Zone: in.End.Zone, Timeline: in.Timeline}
	if s.Zone == nil {
		s.Zone = time.UTC
	}
	if s.Timeline.Start.IsZero() && in.End.Rollout != nil {
		s.Timeline = timeline.Of(*in.End.Rollout, in.End.At)
	}
	if in.End.Restored.IsZero() && in.End.Rollout != nil {
		in.End.Restored = s.Timeline.RestoredAt()
		s.Closing = in.End.Closing()
	}
	if in.DryRun != "" {
		s.dryRun(in)
	}
	var ro engine.Rollout
	if in.End.Rollout != nil && len(in.End.Rollout.Plan.Steps) > 0 {
		ro = report.Sound(*in.End.Rollout)
		if in.DryRun == "" {
			s.Steps, s.Gates = steps(ro, end(in)), gateRows(ro, s.Timeline)
			s.Curves = curves(s.Timeline, s.Gates)
		}
	}
	s.Facts = facts(in, ro)
	s.Links = links(in, ro)
	return s
}

func (s *Sheet) dryRun(in Input) {
	name := in.End.Name
	if ro := in.End.Rollout; ro != nil && len(ro.Plan.Steps) > 0 {
		name = ro.Plan.Target.Name
	}
	if name = words.Line(name); name != "" {
		name += ": "
	}
	s.Tone, s.Closing = Good, report.Closing{Mark: "✓", Headline: name + "a dry run: this is the plan, and nothing was touched"}
	for line := range strings.Lines(in.DryRun) {
		if s.DryRun = append(s.DryRun, words.Clean(line)); len(s.DryRun) == longestPlan {
			s.DryRun = append(s.DryRun, "…")
			break
		}
	}
}

// longestPlan is the number of lines after which the plan of a dry run is cut.
const longestPlan = 400

func tone(r report.Result) Tone {
	switch r {
	case report.Succeeded, report.Unchanged, report.Promoted:
		return Good
	case report.Aborted, report.Superseded, report.Locked:
		return Doubt
	case report.Cancelled, report.Pending:
		return Waiting
	}
	return Bad
}

// end is when the last step that was begun ended: when the way back began, else when the run was over.
func end(in Input) time.Time {
	for _, m := range in.Timeline.Marks {
		if m.Kind == timeline.Undoing {
			return m.At
		}
	}
	if ro := in.End.Rollout; ro != nil && !ro.Ended.IsZero() {
		return ro.Ended
	}
	if in.End.At.IsZero() {
		return in.Timeline.End
	}
	return in.End.At
}

func facts(in Input, ro engine.Rollout) []Fact {
	var all []Fact
	add := func(label, text string, code bool) {
		if text = words.Line(text); text != "" {
			all = append(all, Fact{label, text, code})
		}
	}
	t := ro.Plan.Target
	for _, container := range slices.Sorted(maps.Keys(t.Images)) {
		if len(all) == mostImages {
			break
		}
		label := words.Line(container)
		if from := t.From[container]; from != "" && from != t.Images[container] {
			add(label+", from", from, true)
			label += ", to"
		}
		add(label, t.Images[container], true)
	}
	add("environment", in.Environment, false)
	if len(ro.Plan.Steps) > 0 {
		add("workload", t.Workload.String()+" in "+t.Namespace, true)
		add("strategy", ro.Plan.Strategy, false)
		add("baseline", baseline(ro), false)
	}
	add("rollout", ro.ID, true)
	add("plan", ro.PlanDigest, true)
	add("carried by", ro.Holder, true)
	add("asked for by", ro.By, true)
	for _, step := range report.Steps(ro) {
		if a := step.State.Approval; a != nil && a.Answer != nil {
			add("approval "+words.Line(step.ID), a.Answer.At.UTC().Format(time.RFC3339)+" "+a.Answer.String(), false)
		}
	}
	if ro.Full != nil {
		add("in full", ro.Full.At.UTC().Format(time.RFC3339)+" "+ro.Full.String(), false)
	}
	add("restores", t.Restores, true)
	add("commit", in.CommitSHA, true)
	return all
}

// mostImages is how many lines of images are shown.
const mostImages = 40

// baseline says what the rollout started from.
func baseline(ro engine.Rollout) string {
	size := ro.Plan.Objects.Size
	if size == 0 {
		size = ro.Baseline.Size
	}
	text := words.Count(size, "pod")
	if tr := ro.Plan.Objects.Traffic; tr != nil {
		var routes []string
		for _, r := range tr.Routes {
			routes = append(routes, plan.Ref.String(r))
		}
		text += ", requests to Service " + tr.Base
		if len(routes) > 0 {
			text += " by " + strings.Join(routes, ", ")
		}
	}
	return text
}

func links(in Input, ro engine.Rollout) []Link {
	var all []Link
	for _, l := range []Link{{"run", in.RunURL}, {"deployment", in.DeploymentURL}, {"what is deployed", ro.Plan.Target.URL}} {
		if address := Web(l.URL); address != "" {
			all = append(all, Link{l.Label, address})
		}
	}
	return all
}

// Web is an address that a browser may be sent to, with everything in it escaped; empty for any that is not of http or
// https, or carries a password.
func Web(address string) string {
	u, err := url.Parse(words.Line(address))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || !plainHost(u.Hostname()) {
		return ""
	}
	if _, err := strconv.ParseUint("0"+u.Port(), 10, 16); err != nil {
		return ""
	}
	return strings.NewReplacer("(", "%28", ")", "%29", "[", "%5B", "]", "%5D", "'", "%27", "*", "%2A", "`", "%60", "|", "%7C",
		"<", "%3C", ">", "%3E", `"`, "%22", `\`, "%5C", "{", "%7B", "}", "%7D", "^", "%5E").Replace(u.String())
}

// plainHost tells whether a host is made of what names and addresses are made of.
func plainHost(host string) bool {
	for _, r := range host {
		if r > 0x7f || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", r) {
			return false
		}
	}
	return host != ""
}
