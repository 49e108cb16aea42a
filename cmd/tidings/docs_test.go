package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var updateDocs = flag.Bool("update", false, "write docs/cli.md")

func TestDocsMatchTheCommands(t *testing.T) {
	t.Parallel()
	page := filepath.Join("..", "..", "docs", "cli.md")
	want := commandDocs(newRoot(&cli{}))
	if *updateDocs {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/cli.md differs from the commands (%v); run go test ./cmd/tidings -run Docs -update", err)
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	t.Parallel()
	eachCommand(newRoot(&cli{}), func(c *cobra.Command) {
		if c.Short == "" || !c.HasSubCommands() && c.Example == "" {
			t.Errorf("%s has no short description, or no example", c.CommandPath())
		}
	})
}

// withoutJSON are the commands that print no JSON, with the reason.
var withoutJSON = map[string]string{
	"serve":             "runs until it is stopped, and logs",
	"worker":            "runs until it is stopped, and logs",
	"demo":              "runs until it is stopped, and logs",
	"subscriber export": "prints a list in CSV, which import reads",
}

// TestEveryCommandPrintsJSON requires that testdata/script/json.txtar runs each command with
// --json, which checks its output, or that withoutJSON gives a reason.
func TestEveryCommandPrintsJSON(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile(filepath.Join("testdata", "script", "json.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	eachCommand(newRoot(&cli{}), func(c *cobra.Command) {
		name := strings.TrimPrefix(c.CommandPath(), "tidings ")
		run := regexp.MustCompile(`(?m)^!? ?json tidings ` + name + `\b`).Match(script)
		if reason := withoutJSON[name]; !c.HasSubCommands() && run == (reason != "") {
			t.Errorf("%s: run with --json in json.txtar: %t; reason without it: %q", name, run, reason)
		}
	})
}

// eachCommand visits our commands, but not hidden ones or those that cobra adds.
func eachCommand(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, below := range c.Commands() {
		if !below.Hidden && below.Name() != "help" && below.Name() != "completion" {
			eachCommand(below, visit)
		}
	}
}

func commandDocs(root *cobra.Command) []byte {
	var out bytes.Buffer
	out.WriteString("# Commands\n\n<!-- Generated from the commands by: go test ./cmd/tidings -run Docs -update -->\n\n")
	out.WriteString(root.Long + "\n\nEvery command takes `--config FILE`, `--json` and `--help`. With `--json` a command prints its result as JSON, except that `serve`, `worker` and `demo` only log, " +
		"and `subscriber export` prints CSV. Data goes to standard output, " +
		"messages to standard error.\n`tidings completion bash|zsh|fish|powershell` prints a script that completes commands and flags.\n\n")
	eachCommand(root, func(c *cobra.Command) {
		if c.HasSubCommands() {
			return
		}
		fmt.Fprintf(&out, "## %s\n\n", c.CommandPath())
		text := c.Long
		if text == "" {
			text = c.Short + "."
		}
		fmt.Fprintf(&out, "%s\n\n```\n%s\n", text, c.UseLine())
		if flags := c.LocalNonPersistentFlags().FlagUsages(); flags != "" {
			fmt.Fprintf(&out, "\n%s", flags)
		}
		out.WriteString("```\n")
		var example strings.Builder
		for line := range strings.Lines(c.Example) {
			example.WriteString(strings.TrimPrefix(line, "  "))
		}
		fmt.Fprintf(&out, "\nFor example:\n\n```\n%s\n```\n\n", strings.TrimSpace(example.String()))
	})
	return append(bytes.TrimSpace(out.Bytes()), '\n')
}
