//go:build !linux

package rig

import "os/exec"

// endWithParent does nothing: only Linux can tie a process to its parent.
func endWithParent(*exec.Cmd) {}

// inMemory returns nothing: other systems have no file system in memory at hand.
func inMemory() string { return "" }
