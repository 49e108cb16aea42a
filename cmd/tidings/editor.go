package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/press"
)

func newEditor(a *app) *cobra.Command {
	return group("editor", "Let editors into the room", newEditorList(a), newEditorLink(a))
}

// shownEditor is an editor in a list.
type shownEditor struct {
	Email    string `json:"email"`
	Name     string `json:"name"`
	Role     string `json:"role"`
	Disabled bool   `json:"disabled,omitempty"`
}

func newEditorList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the editors",
		Example: "  tidings editor list",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *press.Press) error {
				editors, err := p.Store.Editors(c.Context())
				if err != nil {
					return err
				}
				list := []shownEditor{}
				for _, e := range editors {
					list = append(list, shownEditor{e.Email, e.Name, e.Role, !e.Disabled.IsZero()})
				}
				return a.print(list, func(w io.Writer) {
					for _, e := range list {
						fmt.Fprintf(w, "%s\t%s\t%s\n", e.Email, e.Name, e.Role)
					}
				})
			})
		},
	}
}

func newEditorLink(a *app) *cobra.Command {
	var owner bool
	c := &cobra.Command{
		Use:     "link",
		Short:   "Make a one-time link that lets one more editor in",
		Long:    "Link makes a one-time link. Who opens it chooses a name and a password, and is an editor from then\non. The very first one becomes the owner.",
		Example: "  tidings editor link\n  tidings editor link --owner",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *press.Press) error {
				link, err := p.EditorLink(c.Context(), owner)
				if err != nil {
					return err
				}
				return a.print(map[string]string{"link": link}, func(w io.Writer) { fmt.Fprintln(w, link) })
			})
		},
	}
	c.Flags().BoolVar(&owner, "owner", false, "an owner, who may let others in")
	return c
}
