package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/feedserver"
)

func newFeed(a *cli) *cobra.Command {
	return group("feed", "List feeds and export them as files", newFeedList(a), newFeedExport(a), hiddenAlias("write", newFeedExport(a)))
}

// shownFeed is a feed in a list.
type shownFeed struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	RSS   string `json:"rss"`
	Atom  string `json:"atom"`
	JSON  string `json:"json"`
}

func newFeedList(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the feeds with their addresses",
		Example: "  tidings feed list",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
				server, err := p.Feeds(c.Context())
				if err != nil {
					return err
				}
				return a.printFeeds(p.Config.Site.URL, server.Definitions())
			})
		},
	}
}

func (a *cli) printFeeds(site string, definitions []feed.Definition) error {
	list := make([]shownFeed, len(definitions))
	for i := range definitions {
		d := &definitions[i]
		list[i] = shownFeed{Name: d.Name, Title: d.Title, RSS: site + d.Path(feed.FormatRSS, ""), Atom: site + d.Path(feed.FormatAtom, ""), JSON: site + d.Path(feed.FormatJSON, "")}
		if d.Kind == feed.Everything {
			list[i].Name = "all"
		}
	}
	return a.print(list, func(w io.Writer) {
		for _, one := range list {
			fmt.Fprintf(w, "%s\t%s\t%s\n", one.Name, one.Title, one.RSS)
		}
	})
}

func newFeedExport(a *cli) *cobra.Command {
	var export feedserver.Export
	c := &cobra.Command{
		Use:     "export DIR",
		Short:   "Export the feeds as static files, byte for byte as serve answers",
		Example: "  tidings feed export public/\n  tidings feed export --archives --compressed public/",
		Args:    exactly("DIR"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
				server, err := p.Feeds(c.Context())
				if err != nil {
					return err
				}
				if err := p.RecordFeedSettings(c.Context()); err != nil {
					return err
				}
				if export.More, err = p.NamedFeeds(c.Context()); err != nil {
					return err
				}
				documents, err := server.Write(c.Context(), args[0], export)
				if err != nil {
					return err
				}
				return a.print(map[string]any{"documents": documents, "folder": args[0]}, func(w io.Writer) {
					fmt.Fprintf(w, "%s in %s\n", some(documents, "document", "documents"), args[0])
				})
			})
		},
	}
	c.Flags().BoolVar(&export.Archives, "archives", false, "include all archive pages")
	c.Flags().BoolVar(&export.Compressed, "compressed", false, "also write each file as .gz and .br, for servers that send those")
	return c
}
