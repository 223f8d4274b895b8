package runner

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/tidegate/tidegate/internal/routine"
)

// Start runs the entrypoint in a mount namespace of its own, which ends with the process and takes all mounts with it.
func (c Chroot) Start(i Invocation) (*exec.Cmd, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("a root filesystem can be entered by root only: run as root, or use runner.Host")
	}
	type started struct {
		cmd *exec.Cmd
		err error
	}
	result := make(chan started)
	onThreadOfItsOwn(func() {
		cmd, err := c.enter(i)
		result <- started{cmd, err}
	})
	r := <-result
	return r.cmd, r.err
}

// onThreadOfItsOwn calls fn on a thread that ends with it: what fn does to the thread, nobody else sees. The process's
// first thread does not end before the process, so it is held until fn has another.
func onThreadOfItsOwn(fn func()) {
	routine.Go(func() {
		runtime.LockOSThread()
		if syscall.Gettid() != syscall.Getpid() {
			fn()
			return
		}
		done := make(chan struct{})
		onThreadOfItsOwn(func() { defer close(done); fn() })
		<-done
		runtime.UnlockOSThread()
	})
}

// enter is called on a thread that nothing else will use.
func (c Chroot) enter(i Invocation) (*exec.Cmd, error) {
	if err := syscall.Unshare(syscall.CLONE_NEWNS); err != nil {
		return nil, fmt.Errorf("no mount namespace could be made: %w; run as root with CAP_SYS_ADMIN, or use runner.Host", err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("the mounts could not be made private, so they would be left behind: %w", err)
	}
	root, err := c.layer(i.Scratch)
	if err != nil {
		return nil, err
	}
	for _, m := range append(platform(), i.Mounts...) {
		if err := bind(m, root); err != nil {
			return nil, fmt.Errorf("%s could not be mounted at %s: %w", m.Source, m.Target, err)
		}
	}
	path, err := c.find(i.Entrypoint)
	if err != nil {
		return nil, err
	}
	name := i.Entrypoint
	if name == "" {
		name = c.Entrypoint
	}
	cmd := &exec.Cmd{
		Path: path, Args: append([]string{name}, i.Args...), Dir: inside(i.Mounts, i.Dir), Stdout: i.Stdout, Stderr: i.Stderr,
		SysProcAttr: &syscall.SysProcAttr{Chroot: root}, WaitDelay: streamGrace,
	}
	for _, kv := range i.Env {
		key, value, _ := strings.Cut(kv, "=")
		cmd.Env = append(cmd.Env, key+"="+inside(i.Mounts, value))
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s could not be started in %s: %w; the image needs a static binary there", path, c.Root, err)
	}
	return cmd, nil
}

// layer puts a writable layer in memory over the root filesystem, as docker does for every container.
func (c Chroot) layer(scratch string) (string, error) {
	if strings.ContainsAny(c.Root+scratch, ":,") {
		return "", fmt.Errorf("%s or %s has a colon or comma in it, which overlay mounts do not take: choose another directory", c.Root, scratch)
	}
	if err := syscall.Mount("tmpfs", scratch, "tmpfs", 0, ""); err != nil {
		return "", fmt.Errorf("the container's layer could not be made: %w", err)
	}
	upper, work, root := filepath.Join(scratch, "upper"), filepath.Join(scratch, "work"), filepath.Join(scratch, "root")
	for _, dir := range []string{upper, work, root} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return "", err
		}
	}
	options := "lowerdir=" + c.Root + ",upperdir=" + upper + ",workdir=" + work
	if err := syscall.Mount("overlay", root, "overlay", 0, options); err != nil {
		return "", fmt.Errorf("the container's layer could not be put over %s: %w; the kernel needs overlayfs", c.Root, err)
	}
	return root, nil
}

// platform is what docker gives to every container: devices, processes and the host's names.
func platform() []Mount {
	var all []Mount
	for _, path := range []string{"/proc", "/dev", "/etc/hosts", "/etc/resolv.conf"} {
		if _, err := os.Stat(path); err == nil {
			all = append(all, Mount{path, path})
		}
	}
	return all
}

func bind(m Mount, root string) error {
	target := filepath.Join(root, m.Target)
	if info, err := os.Stat(m.Source); err != nil {
		return err
	} else if info.IsDir() {
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
	} else if err := touch(target); err != nil {
		return err
	}
	return syscall.Mount(m.Source, target, "", syscall.MS_BIND|syscall.MS_REC, "")
}

func touch(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

// find is the entrypoint's path in the image: a name without a slash is looked for in PATH, as docker does.
func (c Chroot) find(entrypoint string) (string, error) {
	if entrypoint == "" {
		entrypoint = c.Entrypoint
	}
	if strings.Contains(entrypoint, "/") {
		return entrypoint, nil
	}
	for _, dir := range filepath.SplitList(imagePath) {
		path := filepath.Join(dir, entrypoint)
		if info, err := os.Stat(filepath.Join(c.Root, path)); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%q is no executable in the PATH of %s: give its path, or put it there", entrypoint, c.Root)
}
