package main

import (
	"fmt"
	"runtime/debug"
)

// version is set by the linker for releases.
var version = ""

type versionCmd struct{}

// Run prints the release, or what the Go toolchain knows of the build.
func (versionCmd) Run(env *environment) error {
	_, err := fmt.Fprintln(env.stdout, "asyncgate", versionText())
	return err
}

func versionText() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == "" {
		v = info.Main.Version
	}
	if v == "" || v == "(devel)" {
		v = "devel"
	}
	return v
}
