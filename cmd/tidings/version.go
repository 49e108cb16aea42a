package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  tidings version",
		Args:    exactly(),
		RunE: func(*cobra.Command, []string) error {
			version := buildVersion()
			return a.print(map[string]string{"version": version, "go": runtime.Version()}, func(w io.Writer) {
				fmt.Fprintf(w, "tidings %s (%s)\n", version, runtime.Version())
			})
		},
	}
}

// buildVersion returns the module's version, or the commit that was built.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && (version == "" || version == "(devel)") {
			version = setting.Value[:min(12, len(setting.Value))]
		}
	}
	return version
}
