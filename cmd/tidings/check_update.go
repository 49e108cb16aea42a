package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/update"
)

const checkUpdateLong = `Check-update reads a feed of releases once and lists those that are newer than this program. The feed
is updates.url in the configuration, or --url; RSS, Atom and JSON Feed are read. The version of an entry
is the first word of its title that is one, such as v1.4.0.

Only this command reads the feed: no other command and no service looks for updates. The request has
the program's version as User-Agent and nothing else about you.

Exit codes: 0 there is no newer release; 1 the feed cannot be read, or this build has no version; 2 no
feed is set; 3 there is a newer release.`

func newCheckUpdate(a *cli) *cobra.Command {
	var address, version string
	var prereleases bool
	c := &cobra.Command{
		Use:     "check-update",
		Short:   "List newer releases; nothing else looks for them",
		Long:    checkUpdateLong,
		Example: "  tidings check-update --url https://tidings.example.org/releases.atom",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			if address == "" {
				conf, err := a.config()
				if err != nil {
					return err
				}
				address = conf.Updates.URL
			}
			if address == "" {
				return usagef("no feed of releases is set; set updates.url in %s, or pass --url", a.path())
			}
			if err := update.CheckURL(address); err != nil {
				return &usageError{err}
			}
			return a.checkUpdate(c.Context(), address, version, prereleases)
		},
	}
	c.Flags().StringVar(&address, "url", "", "`address` of the feed (default updates.url)")
	c.Flags().StringVar(&version, "current", "", "compare with this `version` instead of the program's")
	c.Flags().BoolVar(&prereleases, "prereleases", false, "list pre-releases such as v1.4.0-rc.1 too")
	return c
}

// checkUpdate prints the releases that are newer than a version, or than this program if it is empty.
func (a *cli) checkUpdate(ctx context.Context, address, version string, prereleases bool) error {
	if version == "" {
		version = buildVersion()
	}
	newer, err := update.Check(ctx, address, version, "tidings/"+version, prereleases)
	if err != nil && !errors.Is(err, update.ErrNoVersion) {
		return err
	}
	shown := map[string]any{"current": version, "newer": append([]update.Release{}, newer...)}
	if err := errors.Join(err, a.print(shown, func(w io.Writer) { printReleases(w, version, newer) })); err != nil {
		return err
	}
	if len(newer) > 0 {
		return &newerReleaseError{newer[0].Version}
	}
	return nil
}

func printReleases(w io.Writer, current string, newer []update.Release) {
	if len(newer) == 0 {
		fmt.Fprintf(w, "tidings %s: there is no newer release\n", current)
	}
	for _, r := range newer {
		date := "no date"
		if !r.Published.IsZero() {
			date = r.Published.Format("2006-01-02")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Version, date, r.Title, r.URL)
		if r.Summary != "" {
			fmt.Fprintf(w, "\t\t%s\n", r.Summary)
		}
	}
}

// newerReleaseError reports that there is a newer release: exit code 3.
type newerReleaseError struct{ version string }

func (e *newerReleaseError) Error() string {
	return e.version + " is available; see docs/operations.md for how to upgrade"
}

// Is makes it an errPartly.
func (e *newerReleaseError) Is(target error) bool { return target == errPartly }
