package runner_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/sandbox/runner"
)

func TestAnnotations(t *testing.T) {
	j := job(t)
	j.Env["PLAY"] = strings.Join([]string{
		print("::error file=" + j.Workspace() + "/tidegate.yaml,line=7,title=a%2C b%3A c::100%25 of%0Ait %250A"),
		print("  ::WARNING::careful"),
		fmt.Sprintf("complain %q", "::notice file=/elsewhere/x::seen on stderr too"),
		print("text ##[error]old form, within a line"),
		print("::debug::not shown"),
	}, "\n")
	o := start(t, j, nil).Wait()
	for _, want := range []runner.Annotation{
		{Level: "error", File: "tidegate.yaml", Line: 7, Title: "a, b: c", Message: "100% of\nit %0A"},
		{Level: "warning", Message: "careful"},
		{Level: "notice", File: "/elsewhere/x", Message: "seen on stderr too"},
		{Level: "error", Message: "old form, within a line"},
	} {
		if !slices.Contains(o.Annotations, want) {
			t.Errorf("%+v is missing in %+v", want, o.Annotations)
		}
	}
	if len(o.Annotations) != 4 || len(o.Problems) > 0 || o.Conclusion != "success" || strings.Contains(o.Log, "not shown") {
		t.Errorf("%+v", o)
	}
	contains(t, "log", o.Log, "##[error]100% of\nit %0A", "##[warning]careful")
}

// TestLimits: GitHub keeps ten annotations of a level and 4096 characters of a message.
func TestLimits(t *testing.T) {
	var lines []string
	for i := range 12 {
		lines = append(lines, print(fmt.Sprintf("::warning::number %d", i)))
	}
	o := outcome(t, append(lines, print("::error::"+strings.Repeat("ü", 4097)))...)
	if len(o.Annotations) != 11 || len(o.Problems) != 3 || !strings.Contains(o.Problems[1], "annotation 12 of level warning") {
		t.Errorf("%d annotations, problems %q", len(o.Annotations), o.Problems)
	}
	if m := o.Annotations[10].Message; m != strings.Repeat("ü", 4096) {
		t.Errorf("the message has %d bytes", len(m))
	}
}

func TestGroups(t *testing.T) {
	o := outcome(t, print("before"), print("::group::Step 1"), print("a"), print("::warning::b"), print("::endgroup::"), print("after"), print("::group::Step 2"), print("::endgroup::"))
	want := []runner.Group{{Title: "Step 1", Lines: []string{"a", "##[warning]b"}}, {Title: "Step 2"}}
	if !reflect.DeepEqual(o.Groups, want) || len(o.Problems) > 0 {
		t.Errorf("groups %q, problems %q", o.Groups, o.Problems)
	}
	contains(t, "log", o.Log, "before\n##[group]Step 1\na\n##[warning]b\n##[endgroup]\nafter")
}

func TestMasks(t *testing.T) {
	j := job(t, print("::add-mask::hush"), print("::add-mask::hushes%0Asecond line"), print("say hushes, hush and second line"),
		print("::error title=hush::of hushhush"), print("::group::hush"), print("::endgroup::"), print("ghs_mine and given"))
	j.Token, j.Secrets = "ghs_mine", []string{"given"}
	o := start(t, j, nil).Wait()
	want := "say ***, *** and ***\n##[error]of ***\n##[group]***\n##[endgroup]\n*** and ***"
	if o.Log != want || len(o.Problems) > 0 {
		t.Errorf("log:\n%s\nproblems %q", o.Log, o.Problems)
	}
	if o.Annotations[0].Message != "of ***" || o.Annotations[0].Title != "***" || o.Groups[0].Title != "***" {
		t.Errorf("annotations %v, groups %v", o.Annotations, o.Groups)
	}
}

// TestStopCommands: what stands between is text, however it looks.
func TestStopCommands(t *testing.T) {
	o := outcome(t, print("::stop-commands::8c1f"), print("::error::no"), print("::eror::no"), print("::8c1f::"), print("::error::yes"))
	if len(o.Annotations) != 1 || o.Annotations[0].Message != "yes" || len(o.Problems) > 0 {
		t.Errorf("%v %q", o.Annotations, o.Problems)
	}
	contains(t, "log", o.Log, "::error::no\n::eror::no\n::8c1f::\n##[error]yes")
}

func TestProblems(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		want  string
		fails bool
	}{
		{"misspelled command", []string{print("::eror::x")}, `"::eror::x" looks like a command and is none`, false},
		{"half a command", []string{print("::error x")}, `"::error x" looks like a command`, false},
		{"property", []string{print("::error fiel=x::y")}, `the property "fiel"`, false},
		{"line", []string{print("::error line=top::y")}, `the line "top", which is no number`, false},
		{"no message", []string{print("::error::")}, "::error:: has no message", false},
		{"group left open", []string{print("::group::g")}, `the group "g" was not ended`, false},
		{"group in a group", []string{print("::group::g"), print("::group::h"), print("::endgroup::")}, `the group "h" begins within "g"`, false},
		{"end of no group", []string{print("::endgroup::")}, "none was open", false},
		{"masked too late", []string{print("hush"), print("::add-mask::hush")}, `line 1 of the log has a value that was masked only later: "***"`, false},
		{"empty mask", []string{print("::add-mask:: ")}, "an empty value was to be masked", false},
		{"masked output", []string{print("::add-mask::hush"), write("GITHUB_OUTPUT", "result=hush\n")}, `the output "result" has a masked value`, false},
		{"undeclared output", []string{write("GITHUB_OUTPUT", "resutl=x\n")}, `the output "resutl" is not declared`, false},
		{"old output", []string{print("::set-output name=result::x")}, "set-output is deprecated", false},
		{"matcher", []string{print("::add-matcher::x.json")}, `"add-matcher" is not obeyed here`, false},
		{"commands stopped for good", []string{print("::stop-commands::8c1f")}, "stop-commands was not ended by ::8c1f::", false},
		{"commands stopped by a command", []string{print("::stop-commands::error"), print("::notice::x")}, "with an invalid token", true},
		{"environment", []string{print("::set-env name=A::b")}, "`set-env` command is disabled", true},
		{"echo", []string{print("::echo::perhaps")}, "Invalid echo command value", true},
		{"old output without a name", []string{print("::set-output::x")}, "Required field 'name' is missing", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := outcome(t, tt.lines...)
			contains(t, "problems", strings.Join(o.Problems, "\n"), tt.want)
			if failed := o.Conclusion == "failure"; failed != tt.fails || o.ExitCode != 0 {
				t.Errorf("the step is a %s, exit code %d", o.Conclusion, o.ExitCode)
			}
		})
	}
}

func TestOldCommands(t *testing.T) {
	o := outcome(t, print("::set-output name=result::a"), print("::save-state name=s::b"), print("::echo::on"))
	if o.Outputs["result"] != "a" || o.State["s"] != "b" || o.Conclusion != "success" {
		t.Errorf("%+v", o)
	}
}

func TestDebug(t *testing.T) {
	j := job(t, print("::debug::shown"))
	j.Env["RUNNER_DEBUG"] = "1"
	contains(t, "log", start(t, j, nil).Wait().Log, "##[debug]shown")
}
