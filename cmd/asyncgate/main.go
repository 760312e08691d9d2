// Command asyncgate enforces an AsyncAPI document in front of Kafka clusters and MQTT brokers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli is the command line. Each command is a file of its own.
type cli struct {
	Run runCmd `cmd:"" help:"Enforce a document."`

	Check   checkCmd   `cmd:"" help:"Judge documents and print what would be enforced."`
	Explain explainCmd `cmd:"" help:"Say what a principal may do, and which line decides."`
	Test    testCmd    `cmd:"" help:"Hold a document to a file of expected decisions."`
	Learn   learnCmd   `cmd:"" help:"Propose a document that allows what enforce: observe has recorded."`
	Init    initCmd    `cmd:"" help:"Write settings and credentials files for a first start."`

	Demo        demoCmd        `cmd:"" help:"Show a document enforced, on embedded brokers."`
	Credentials credentialsCmd `cmd:"" help:"Keep the users, API keys and certificates that may log in."`

	Version versionCmd `cmd:"" help:"Print the version."`
}

const description = `asyncgate enforces an AsyncAPI document in front of Kafka clusters and MQTT brokers.

Exit codes: 0 done; 1 a problem of severity error, or a failed check; 2 wrong arguments, or a document that cannot be
opened; 3 failed at run time; 4 denied (explain).`

// environment is what a command may touch of the world outside; tests hand in their own.
type environment struct {
	ctx    context.Context // ends with SIGINT or SIGTERM
	stdin  io.Reader
	stdout io.Writer // results
	stderr io.Writer // logs and errors
}

// Exit codes, a contract with scripts and pipelines.
const (
	exitOK      = 0 // done
	exitProblem = 1 // a problem of severity error, or a failed check
	exitUsage   = 2 // wrong arguments, or a document that cannot be opened
	exitRuntime = 3 // failed at run time: port in use, forced drain
)

// exitError ends the command with a code. With a nil err everything there was to say has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(&environment{ctx: ctx, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run executes one command line and returns its exit code.
func run(env *environment, args []string) (code int) {
	type exited int
	defer func() { // kong leaves through Exit for --help
		switch r := recover().(type) {
		case nil:
		case exited:
			code = int(r)
		default:
			panic(r)
		}
	}()
	parser, err := kong.New(&cli{},
		kong.Name("asyncgate"),
		kong.Description(description),
		kong.Writers(env.stdout, env.stderr),
		kong.Exit(func(code int) { panic(exited(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.UsageOnError(),
		kong.Vars{"formats": formats()},
	)
	if err != nil {
		panic(err) // the cli struct itself is wrong
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(env.stderr, "asyncgate: %v (see %s --help)\n", err, meant(err))
		return exitUsage
	}
	return exitCode(env, parsed.Run(env))
}

// meant is the command that a command line which is wrong has got as far as.
func meant(err error) string {
	if wrong := (*kong.ParseError)(nil); errors.As(err, &wrong) && wrong.Context != nil {
		if node := wrong.Context.Selected(); node != nil {
			return node.FullPath()
		}
	}
	return "asyncgate"
}

// exitCode prints what is left to say of a command's error and returns the code for it.
func exitCode(env *environment, err error) int {
	if err == nil {
		return exitOK
	}
	code := exitRuntime
	if exit := (*exitError)(nil); errors.As(err, &exit) {
		code = exit.code
	}
	if text := err.Error(); text != "" {
		fmt.Fprintf(env.stderr, "asyncgate: %s\n", text)
	}
	return code
}
