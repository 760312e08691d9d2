package main

import (
	"fmt"
	"io"
	"time"

	"github.com/asyncgate/asyncgate/report"
)

// patience is how long nobody wonders what is going on.
const patience = time.Second

// progress tells a person at a terminal which document is looked at, once it takes longer than patience.
type progress struct {
	w           io.Writer // nil: nobody watches
	began       time.Time
	done, total int
	shown       bool
}

func newProgress(env *environment, total int) *progress {
	p := &progress{began: time.Now(), total: total}
	if terminal(env.stderr) {
		p.w = env.stderr
	}
	return p
}

// next is called before each document.
func (p *progress) next(path string) {
	p.done++
	if p.w == nil || time.Since(p.began) < patience {
		return
	}
	p.shown = true
	fmt.Fprintf(p.w, "\r\x1b[Kchecking %d of %d: %s", p.done, p.total, report.Printable(path))
}

// clear takes the line away, for whatever else there is to say.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
