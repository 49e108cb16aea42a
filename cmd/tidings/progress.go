package main

import (
	"github.com/schollz/progressbar/v3"
)

// bar is a progress bar on a terminal. Elsewhere it prints nothing.
type bar struct {
	shown *progressbar.ProgressBar
	app   *cli
	what  string
}

func (a *cli) bar(what string) *bar { return &bar{app: a, what: what} }

// set moves the bar.
func (b *bar) set(done, of int64) {
	if b.app.json || !isTerminal(b.app.stderr) {
		return
	}
	if b.shown == nil {
		b.shown = progressbar.NewOptions64(of,
			progressbar.OptionSetWriter(b.app.stderr),
			progressbar.OptionSetDescription(b.what),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionThrottle(100_000_000), // 100 ms, in nanoseconds
		)
	}
	b.shown.ChangeMax64(of)
	_ = b.shown.Set64(done) // an error while drawing is ignored
}

// done removes the bar.
func (b *bar) done() {
	if b.shown != nil {
		_ = b.shown.Clear()
		b.shown = nil
	}
}
