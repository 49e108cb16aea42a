package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
)

// cli holds what all commands share: the global flags and the standard streams.
type cli struct {
	configPath  string
	json        bool
	started     bool // a command began to run: later errors are not about usage
	stdin       io.Reader
	stdout      io.Writer
	stderr      io.Writer
	shown       shownBar
	stopSignals func()         // a second Ctrl-C kills
	command     *cobra.Command // that runs
}

// The exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitPartial = 3
)

// usageError is an error about the command's arguments or flags: exit code 2.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// errPartly ends a command that did part of its work and listed the rest: exit code 3.
var errPartly = errors.New("only partly completed; see the messages above")

// exit prints an error and returns the exit code.
func (a *cli) exit(err error) int {
	if err == nil {
		return exitDone
	}
	var severity severityCode
	if errors.As(err, &severity) {
		return int(severity)
	}
	var usage *usageError
	var problems config.Problems
	if errors.As(err, &problems) {
		fmt.Fprintln(a.stderr, problems) // in the form that editors can jump to: file:line: text
	} else {
		a.warn("tidings: %v", err)
	}
	switch {
	case errors.Is(err, errPartly):
		return exitPartial
	case !a.started, errors.As(err, &usage), errors.As(err, &problems):
		return exitUsage
	}
	return exitFailed
}

// config loads the configuration.
func (a *cli) config() (*config.Config, error) {
	c, err := config.Load(a.path())
	if errors.Is(err, os.ErrNotExist) {
		err = &usageError{err}
	}
	return c, err
}

// localConfig and systemConfig are where the configuration is when neither --config nor
// TIDINGS_CONFIG names a file: in the current folder, or where the packages install it.
const (
	localConfig  = "config.yaml"
	systemConfig = "/etc/tidings/config.yaml"
)

// path returns the path of the configuration file.
func (a *cli) path() string {
	return cmp.Or(a.configPath, os.Getenv("TIDINGS_CONFIG"), defaultConfig(localConfig, systemConfig))
}

// defaultConfig returns local, or system if that file exists and local does not, or is in a folder that this
// user may not search: "runuser -u tidings -- tidings status" may be typed in the home folder of root. A file
// that exists and may not be read is returned, so that the error is about the missing right.
func defaultConfig(local, system string) string {
	_, atLocal := os.Stat(local)
	_, atSystem := os.Stat(system)
	if (errors.Is(atLocal, os.ErrNotExist) || errors.Is(atLocal, os.ErrPermission)) && !errors.Is(atSystem, os.ErrNotExist) {
		return system
	}
	return local
}

// with opens the service, runs a command's work and closes it.
func (a *cli) with(ctx context.Context, work func(*app.Service) error) error {
	c, err := a.config()
	if err != nil {
		return err
	}
	p, err := app.Open(ctx, c, a.logger(c))
	if err != nil {
		return a.explainMigration(err)
	}
	return errors.Join(a.audited(ctx, p, work), p.Close())
}

// logger logs to standard error: as text on a terminal, as JSON otherwise.
func (a *cli) logger(c *config.Config) *slog.Logger {
	return app.NewLogger(logOutput{a}, c.Log, isTerminal(a.stderr))
}

func isTerminal(w any) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// print prints a value as JSON with --json, and otherwise as text.
func (a *cli) print(value any, people func(w io.Writer)) error {
	if a.json {
		encoder := json.NewEncoder(a.stdout)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(value)
	}
	return a.text(people)
}

// text prints text for people in columns.
func (a *cli) text(people func(w io.Writer)) error {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 8, 2, ' ', 0)
	people(w)
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(a.stdout, visible(out.String()))
	return err
}

// visible drops the control characters that a terminal would obey, other than tabs and line breaks. The
// texts of others hold them: names of subscribers, replies of mail servers, subjects.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}

// report prints a value as JSON with --json, and otherwise a line.
func (a *cli) report(value any, format string, args ...any) error {
	return a.print(value, func(w io.Writer) { fmt.Fprintf(w, format+"\n", args...) })
}

// warn prints a line on standard error.
func (a *cli) warn(format string, args ...any) {
	fmt.Fprintln(a.stderr, visible(fmt.Sprintf(format, args...)))
}
