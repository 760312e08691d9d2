//go:build !linux

package parts

import "os/exec"

// EndWithParent does nothing: only Linux can tie a process to its parent.
func EndWithParent(*exec.Cmd) {}
