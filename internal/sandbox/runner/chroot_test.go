package runner_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/sandbox/runner"
)

// image is the root filesystem of an image that has the action and nothing else.
func image(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("a root filesystem can be entered on Linux by root only")
	}
	root := t.TempDir()
	binary, err := os.ReadFile(play)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "usr/bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"play", "play-post"} {
		if err := os.WriteFile(filepath.Join(root, "usr/bin", name), binary, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// tree is all paths below a directory.
func tree(t *testing.T, root string) string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(paths, "\n")
}

func mounts(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestChroot: paths are the container's, commands and files come back, and every container begins with the image alone.
func TestChroot(t *testing.T) {
	root := image(t)
	before, files := mounts(t), tree(t, root)
	j := job(t)
	j.Container = runner.Chroot{Root: root}
	j.Env["KUBECONFIG"] = filepath.Join(j.Temp(), "kubeconfig")
	j.Env["LATE"], j.Env["NEAR"] = "see "+j.Temp(), j.Temp()+"orary"
	if err := os.WriteFile(filepath.Join(j.Workspace(), "tidegate.yaml"), []byte("spec"), 0o644); err != nil {
		t.Fatal(err)
	}
	j.Env["PLAY"] = strings.Join([]string{
		"called", "env", "read tidegate.yaml", "read /github/workflow/event.json", `touch /github/runner_temp/plan "p"`, `touch /usr/bin/mine "m"`,
		"read /usr/bin/mine", "read /etc/passwd", write("GITHUB_OUTPUT", "result=ok\n"), write("GITHUB_STATE", "s=1\n"), write("GITHUB_STEP_SUMMARY", "sum"),
		print("::error file=/github/workspace/tidegate.yaml,line=1::here"),
	}, "\n")
	j.Env["PLAY_POST"] = "called\nread /usr/bin/mine\nread /github/runner_temp/plan\nenv"
	s := start(t, j, nil)
	o := s.Wait()
	contains(t, "log of main", o.Log,
		`called ["/usr/bin/play" "action" "--command=deploy"] in /github/workspace`, `read tidegate.yaml "spec" <nil>`,
		`read /github/workflow/event.json "{}" <nil>`, `read /usr/bin/mine "m" <nil>`, `read /etc/passwd "" open /etc/passwd: no such file`,
		`env "HOME=/github/home"`, `env "GITHUB_WORKSPACE=/github/workspace"`, `env "RUNNER_TEMP=/github/runner_temp"`,
		`env "KUBECONFIG=/github/runner_temp/kubeconfig"`, `env "GITHUB_EVENT_PATH=/github/workflow/event.json"`,
		`env "GITHUB_OUTPUT=/github/file_commands/set_output_1"`, `env "LATE=see `+j.Temp()+`"`, `env "NEAR=`+j.Temp()+`orary"`,
	)
	if o.Conclusion != "success" || o.Outputs["result"] != "ok" || o.Summary != "sum" || len(o.Annotations) != 1 || o.Annotations[0].File != "tidegate.yaml" {
		t.Errorf("%+v", o)
	}
	post, err := s.Post(within(t))
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "log of post", post.Wait().Log, `called ["/usr/bin/play-post" "action"`, `read /usr/bin/mine "" open /usr/bin/mine: no such file`,
		`read /github/runner_temp/plan "p" <nil>`, `env "STATE_s=1"`)
	if after := mounts(t); after != before {
		t.Errorf("mounts are left:\n%s\nbefore:\n%s", after, before)
	}
	if left := tree(t, root); left != files {
		t.Errorf("the image has changed:\n%s", left)
	}
}

// TestChrootCancel: signals reach the process itself.
func TestChrootCancel(t *testing.T) {
	j := job(t, "catch", print("ready"), "until terminated", "exit 143")
	j.Container, j.Grace = runner.Chroot{Root: image(t)}, short()
	s := start(t, j, nil)
	await(t, s, "ready")
	s.Cancel()
	if o := s.Wait(); o.ExitCode != 143 || !strings.HasSuffix(o.Log, "got interrupt\ngot terminated") {
		t.Errorf("%+v", o)
	}
}

func TestChrootEntrypoint(t *testing.T) {
	for _, tt := range []struct{ name, entrypoint, image, want, fails string }{
		{"by name", "play", "", `called ["play" "action"`, ""},
		{"the image's own", "", "/usr/bin/play", `called ["/usr/bin/play" "action"`, ""},
		{"no such name", "plya", "", "", `"plya" is no executable in the PATH`},
		{"no such path", "/plya", "", "", "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j, a := job(t, "called"), action(t)
			j.Container, a.Runs.Entrypoint = runner.Chroot{Root: image(t), Entrypoint: tt.image}, tt.entrypoint
			s, err := j.Start(within(t), a, nil)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("error %v, want one with %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			contains(t, "log", s.Wait().Log, tt.want)
		})
	}
}
