package runner_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestEnvironment: a step sees what the runner sets, and nothing of this process.
func TestEnvironment(t *testing.T) {
	t.Setenv("OF_THE_TEST", "1")
	j := job(t, "called", "env", "read "+"/nowhere")
	j.Env["GITHUB_REPOSITORY"], j.Env["GITHUB_REF"] = "acme/till", "refs/tags/v2"
	j.Env["KUBECONFIG"], j.Env["MINE"] = filepath.Join(j.Temp(), "kubeconfig"), "yes"
	j.EventName = "release"
	o := start(t, j, map[string]string{"Dry-Run": "true", "two words": "a\nb"}).Wait()
	if o.Conclusion != "success" || o.ExitCode != 0 || len(o.Problems) > 0 {
		t.Errorf("%s %d %q", o.Conclusion, o.ExitCode, o.Problems)
	}
	contains(t, "log", o.Log,
		`called ["/usr/bin/play" "action" "--command=deploy"] in `+j.Workspace(),
		`env "INPUT_COMMAND=deploy"`, `env "INPUT_DRY-RUN=true"`, `env "INPUT_TWO_WORDS=a\nb"`, `env "INPUT_GITHUB-TOKEN=***"`,
		`env "FIXED=deploy!"`, `env "MINE=yes"`, `env "CI=true"`, `env "GITHUB_ACTIONS=true"`, `env "RUNNER_OS=Linux"`,
		`env "GITHUB_REPOSITORY=acme/till"`, `env "GITHUB_REPOSITORY_OWNER=acme"`, `env "GITHUB_REF_NAME=v2"`, `env "GITHUB_REF_TYPE=tag"`,
		`env "GITHUB_WORKFLOW_REF=acme/till/.github/workflows/deploy.yml@refs/tags/v2"`, `env "GITHUB_EVENT_NAME=release"`,
		`env "HOME=`+j.Home()+`"`, `env "KUBECONFIG=`+j.Temp()+`/kubeconfig"`, `env "GITHUB_WORKSPACE=`+j.Workspace()+`"`,
		`env "GITHUB_EVENT_PATH=`+j.Temp()+`/_github_workflow/event.json"`, `env "RUNNER_TEMP=`+j.Temp()+`"`,
	)
	for _, never := range []string{"OF_THE_TEST", "STATE_", "GITHUB_TOKEN", j.Token} {
		if strings.Contains(o.Log, never) {
			t.Errorf("%q is in the log:\n%s", never, o.Log)
		}
	}
}

// TestContexts: what follows from a variable follows.
func TestContexts(t *testing.T) {
	for _, tt := range []struct{ name, variable, value, want string }{
		{"branch", "GITHUB_REF", "refs/heads/feat/x", `env "GITHUB_REF_NAME=feat/x"`},
		{"pull request", "GITHUB_REF", "refs/pull/7/merge", `env "GITHUB_REF_NAME=7/merge"`},
		{"enterprise server", "GITHUB_SERVER_URL", "https://git.example.com", `env "GITHUB_API_URL=https://git.example.com/api/v3"`},
		{"actor", "GITHUB_ACTOR", "mona", `env "GITHUB_TRIGGERING_ACTOR=mona"`},
		{"commit", "GITHUB_SHA", "abc", `env "GITHUB_WORKFLOW_SHA=abc"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := job(t, "env")
			j.Env[tt.variable] = tt.value
			contains(t, "log", start(t, j, nil).Wait().Log, tt.want)
		})
	}
}

func TestUnknownInput(t *testing.T) {
	o := start(t, job(t), map[string]string{"comand": "abort"}).Wait()
	if len(o.Annotations) != 1 || o.Annotations[0].Level != "warning" || !strings.Contains(o.Annotations[0].Message, "'comand'") || len(o.Problems) != 1 {
		t.Errorf("annotations %v, problems %q", o.Annotations, o.Problems)
	}
}

// TestPost: post is a new process by another name, with main's inputs, state and what main put into GITHUB_ENV.
func TestPost(t *testing.T) {
	j := job(t,
		write("GITHUB_STATE", "rollout=r-1\nwhy<<X\none\ntwo=2\nX\n"), write("GITHUB_ENV", "LATER=l\n"),
		write("GITHUB_OUTPUT", "result=failed\n"), print("::add-mask::hush"), "exit 3")
	j.Env["PLAY_POST"] = strings.Join([]string{"called", "env", print("hush!"), write("GITHUB_OUTPUT", "reason=post\n")}, "\n")
	j.Event = []byte(`{"ref":"main"}`)
	j.Env["PLAY_POST"] += "\nread " + j.Temp() + "/_github_workflow/event.json"
	main := start(t, j, map[string]string{"command": "promote"})
	if o := main.Wait(); o.ExitCode != 3 || o.Conclusion != "failure" || o.State["why"] != "one\ntwo=2" || o.Env["LATER"] != "l" || o.Outputs["result"] != "failed" {
		t.Errorf("main: %+v", o)
	}
	post, err := main.Post(within(t))
	if err != nil {
		t.Fatal(err)
	}
	o := post.Wait()
	contains(t, "log of post", o.Log, `called ["/usr/bin/play-post" "action" "--command=promote"]`, `env "INPUT_COMMAND=promote"`,
		`env "STATE_rollout=r-1"`, `env "STATE_why=one\ntwo=2"`, `env "LATER=l"`, `***!`, `event.json "{\"ref\":\"main\"}" <nil>`)
	if o.Conclusion != "success" || len(o.Outputs) != 1 || o.Outputs["reason"] != "post" || len(o.State) != 0 {
		t.Errorf("post: %+v", o)
	}
}

func TestNoPost(t *testing.T) {
	a := action(t)
	a.Runs.PostEntrypoint = ""
	s, err := job(t).Start(within(t), a, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Post(within(t)); err == nil || !strings.Contains(err.Error(), "no post-entrypoint") {
		t.Errorf("error %v", err)
	}
}
