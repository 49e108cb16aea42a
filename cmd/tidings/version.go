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
			built := buildVersion()
			return a.print(map[string]string{"version": built, "go": runtime.Version()}, func(w io.Writer) {
				fmt.Fprintf(w, "tidings %s (%s)\n", built, runtime.Version())
			})
		},
	}
}

// version is set by the linker in releases.
var version string

// buildVersion returns the version of a release, the module's version, or the commit that was built.
func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	built := info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && (built == "" || built == "(devel)") {
			built = setting.Value[:min(12, len(setting.Value))]
		}
	}
	return built
}
