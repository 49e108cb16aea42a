package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/press"
)

func newDigest(a *app) *cobra.Command {
	return group("digest", "List, preview, test, send and steer digests", newDigestList(a))
}

func newDigestList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the digests with their next three times",
		Example: "  tidings digest list",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *press.Press) error {
				list, err := p.Digests(c.Context())
				if err != nil {
					return err
				}
				return a.print(list, func(w io.Writer) { printDigests(w, list) })
			})
		},
	}
}

func printDigests(w io.Writer, list []press.DigestView) {
	for _, d := range list {
		fmt.Fprintf(w, "%s\t%s\t%d subscribers\n", d.Name, d.Schedule, d.Subscribers)
		for _, at := range d.Next {
			fmt.Fprintf(w, "\t%s\n", at.Format("Mon 2 Jan 2006 15:04:05 MST"))
		}
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "There are no digests; add one below digests: in the configuration.")
	}
}
