//go:build !linux

package runner

import (
	"errors"
	"os/exec"
)

// Start is refused: there are no mount namespaces here.
func (c Chroot) Start(Invocation) (*exec.Cmd, error) {
	return nil, errors.New("a root filesystem can be entered on Linux only: use runner.Host")
}
