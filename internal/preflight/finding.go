package preflight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/internal/plan"
)

// Level says what a finding does to a rollout.
type Level string

// The levels of findings.
const (
	Error   Level = "error"   // the rollout is not started
	Warning Level = "warning" // it is said, and the rollout is started
)

// Finding is one thing that would go wrong.
type Finding struct {
	Name    string `json:"name"` // in kebab case, for --accept
	Level   Level  `json:"level"`
	Object  string `json:"object"` // kind/name
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
	// Accepted: somebody knows and wants the rollout all the same.
	Accepted bool `json:"accepted,omitempty"`
}

// Override is the flag with which an error is accepted; empty when nothing does.
func (f Finding) Override() string {
	switch k := kindOf(f.Name); {
	case f.Level != Error || k.Final:
		return ""
	case k.Force:
		return "--force"
	default:
		return "--accept " + f.Name
	}
}

// String is the finding on one line, unless its remedy shows a piece of YAML.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s. %s", f.Name, f.Object, f.Message, f.Remedy)
}

// finding makes a finding of a name of the table.
func finding(name, object, remedy, message string, args ...any) Finding {
	return Finding{Name: name, Level: kindOf(name).Level, Object: object, Message: fmt.Sprintf(message, args...), Remedy: remedy}
}

func about(o plan.Object) string { return plan.RefOf(o).String() }

// Findings are all that was found, errors first. As an error they are those that stop the rollout.
type Findings []Finding

// Err is the findings as an error, nil when nothing stops the rollout.
func (f Findings) Err() error {
	if len(f.stopping()) == 0 {
		return nil
	}
	return f
}

// Error lists what stops the rollout, with remedies and the flags that accept it.
func (f Findings) Error() string {
	stopping := f.stopping()
	var b strings.Builder
	fmt.Fprintf(&b, "nothing was touched: %s would make the rollout fail", count(len(stopping), "thing"))
	for _, x := range stopping {
		fmt.Fprintf(&b, "\n- %s", x)
		if flag := x.Override(); flag != "" {
			fmt.Fprintf(&b, "\n  To deploy all the same: %s", flag)
		}
	}
	return b.String()
}

func (f Findings) stopping() []Finding {
	var list []Finding
	for _, x := range f {
		if x.Level == Error && !x.Accepted {
			list = append(list, x)
		}
	}
	return list
}

// settle marks what was accepted and puts errors first.
func (f Findings) settle(o Options) Findings {
	for i, x := range f {
		f[i].Accepted = x.Override() == "--force" && o.Force || !kindOf(x.Name).Final && !kindOf(x.Name).Force && slices.Contains(o.Accept, x.Name)
	}
	slices.SortStableFunc(f, func(a, b Finding) int { return strings.Compare(string(a.Level), string(b.Level)) })
	return f
}

// Options say which findings somebody knows and accepts.
type Options struct {
	Accept []string // names
	Force  bool     // start from a base that is not whole
}

// valid refuses names that do not exist or that cannot be accepted: a typing error must not look like an answer.
func (o Options) valid() error {
	for _, name := range o.Accept {
		k := kindOf(name)
		switch {
		case k.Name == "":
			return &Invalid{Problem: fmt.Sprintf("--accept %s: there is no finding of this name", name),
				Remedy: "The names are " + strings.Join(acceptable(), ", ")}
		case k.Force:
			return &Invalid{Problem: fmt.Sprintf("--accept %s: a base that is not whole needs --force", name), Remedy: "Say --force instead"}
		case k.Final:
			return &Invalid{Problem: fmt.Sprintf("--accept %s: this cannot be accepted, the rollout would only fail later", name),
				Remedy: "Leave it out and mend what the finding names"}
		}
	}
	return nil
}

func acceptable() []string {
	var list []string
	for _, k := range Kinds() {
		if !k.Final && !k.Force {
			list = append(list, k.Name)
		}
	}
	return list
}

// Invalid says that spec and cluster do not fit, so that no plan can be made. Nothing was touched.
type Invalid struct{ Problem, Remedy string }

// Error is problem and remedy.
func (i *Invalid) Error() string { return i.Problem + ". " + i.Remedy }

func invalid(remedy, problem string, args ...any) error {
	return &Invalid{Problem: fmt.Sprintf(problem, args...), Remedy: remedy}
}

// count is a number of things in words: "1 pod", "2 pods".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// several joins names, the first ten of them.
func several(list []string) string {
	const most = 10
	switch {
	case len(list) == 0:
		return "none"
	case len(list) > most:
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return strings.Join(list, ", ")
}
