package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

const manLong = `Man writes a manual page for each command to a folder, for man. The .deb and .rpm packages bring
these pages along. With SOURCE_DATE_EPOCH in the environment they have that date, otherwise today's.`

func newMan(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "man FOLDER",
		Short:   "Write the manual pages of all commands",
		Long:    manLong,
		Example: "  tidings man /usr/local/share/man/man1",
		Args:    exactly("FOLDER"),
		RunE: func(c *cobra.Command, args []string) error {
			pages, err := writeManual(c.Root(), args[0])
			if err != nil {
				return err
			}
			return a.report(map[string]any{"folder": args[0], "pages": pages}, "wrote %d manual pages to %s; read one with: man %s", pages, args[0], filepath.Join(args[0], "tidings.1"))
		},
	}
}

// writeManual writes the manual pages of a command and of all below it, and returns their number.
func writeManual(root *cobra.Command, folder string) (int, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return 0, err
	}
	root.DisableAutoGenTag = true // it has the day of the build
	header := &doc.GenManHeader{Section: "1", Source: "Tidings " + buildVersion(), Manual: "Tidings"}
	if err := doc.GenManTree(root, header, folder); err != nil {
		return 0, fmt.Errorf("write the manual pages to %s: %w", folder, err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0, err
	}
	pages := 0
	for _, entry := range entries {
		if ours, _ := filepath.Match("tidings*.1", entry.Name()); ours {
			pages++
		}
	}
	return pages, nil
}
