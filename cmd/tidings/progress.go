package main

import (
	"sync"

	"github.com/schollz/progressbar/v3"
)

// bar is a progress bar on a terminal. Elsewhere it prints nothing.
type bar struct {
	app  *cli
	what string
}

// shownBar is the progress bar that a terminal shows now.
type shownBar struct {
	mu  sync.Mutex
	bar *progressbar.ProgressBar // nil if there is none
}

func (a *cli) bar(what string) *bar { return &bar{app: a, what: what} }

// set moves the bar.
func (b *bar) set(done, of int64) {
	if b.app.json || !isTerminal(b.app.stderr) {
		return
	}
	shown := &b.app.shown
	shown.mu.Lock()
	defer shown.mu.Unlock()
	if shown.bar == nil {
		shown.bar = progressbar.NewOptions64(of,
			progressbar.OptionSetWriter(b.app.stderr),
			progressbar.OptionSetDescription(b.what),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(100_000_000), // 100 ms, in nanoseconds
		)
	}
	shown.bar.ChangeMax64(of)
	_ = shown.bar.Set64(done) // an error while drawing is ignored
}

// done removes the bar.
func (b *bar) done() {
	shown := &b.app.shown
	shown.mu.Lock()
	defer shown.mu.Unlock()
	if shown.bar != nil {
		_ = shown.bar.Clear()
		shown.bar = nil
	}
}

// logOutput writes the lines of the log to standard error. It removes the progress bar first, which the
// next change shows again, so that a line does not continue the bar's.
type logOutput struct{ app *cli }

func (o logOutput) Write(line []byte) (int, error) {
	shown := &o.app.shown
	shown.mu.Lock()
	defer shown.mu.Unlock()
	if shown.bar != nil {
		_ = shown.bar.Clear()
	}
	return o.app.stderr.Write(line)
}
