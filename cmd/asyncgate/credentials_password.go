package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/asyncgate/asyncgate/credentials"
)

// passwordFlags say where a password comes from. Never from the command line: others could see it there.
type passwordFlags struct {
	PasswordStdin bool `xor:"password" help:"Read the password from standard input, one line."`
	Generate      bool `xor:"password" help:"Make a random password and print it."`
	Iterations    int  `placeholder:"N" help:"Rounds that a guess at a stolen verifier costs, and every login: 4096 (the default) to 150000."`
}

// password gets the password of a name.
func (p passwordFlags) password(env *environment, name string) (password string, generated bool, err error) {
	switch {
	case p.Generate:
		return credentials.NewPassword(), true, nil
	case p.PasswordStdin:
		password, err = readLine(env.stdin)
	default:
		password, err = askTwice(env, name)
	}
	if err != nil {
		return "", false, err
	}
	if err := credentials.CheckPassword(password); err != nil {
		return "", false, usage("%v", err)
	}
	return password, false, nil
}

// maxInput bounds what is read for a password: the longest one and a line's end.
const maxInput = 1<<10 + 2

// readLine reads one line, and insists that there is no more.
func readLine(in io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err != nil {
		return "", &exitError{exitRuntime, fmt.Errorf("standard input: %w", err)}
	}
	line := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if len(data) > maxInput || strings.ContainsAny(line, "\r\n") {
		return "", usage("standard input has to be one line with the password, of at most 1024 bytes")
	}
	return line, nil
}

// askTwice asks at the terminal, without echo.
func askTwice(env *environment, name string) (string, error) {
	f, ok := env.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", usage("say --generate or --password-stdin: there is no terminal to ask for a password")
	}
	first, err := ask(env, f, "Password of "+name+": ")
	if err != nil {
		return "", err
	}
	second, err := ask(env, f, "Once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", usage("the two passwords differ")
	}
	return first, nil
}

// ask reads a line without echo. An interrupt ends it, and leaves the terminal as it was.
func ask(env *environment, f *os.File, prompt string) (string, error) {
	fd := int(f.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return "", &exitError{exitRuntime, err}
	}
	fmt.Fprint(env.stderr, prompt)
	defer fmt.Fprintln(env.stderr)
	type line struct {
		text []byte
		err  error
	}
	read := make(chan line, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		read <- line{text, err}
	}()
	select {
	case l := <-read:
		if l.err != nil {
			return "", &exitError{exitRuntime, l.err}
		}
		return string(l.text), nil
	case <-env.ctx.Done():
		return "", &exitError{exitRuntime, errors.Join(errors.New("interrupted"), term.Restore(fd, state))}
	}
}
