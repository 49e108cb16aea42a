package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/store"
)

func newEditor(a *cli) *cobra.Command {
	return group("editor", "Manage the editors who may use the admin", newEditorList(a), newEditorInvite(a), hiddenAlias("link", newEditorInvite(a)), newEditorLinks(a), newEditorRevoke(a), newEditorRole(a),
		newEditorReset(a), newEditorDisable(a), newEditorEnable(a), newEditorRemove(a))
}

// shownEditor is an editor in a list.
type shownEditor struct {
	Email    string     `json:"email"`
	Name     string     `json:"name"`
	Role     store.Role `json:"role"`
	Disabled bool       `json:"disabled,omitempty"`
}

func newEditorList(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the editors",
		Example: "  tidings editor list",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
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
						state := ""
						if e.Disabled {
							state = "disabled"
						}
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", e.Email, e.Name, e.Role, state)
					}
				})
			})
		},
	}
}

func newEditorInvite(a *cli) *cobra.Command {
	var owner bool
	var role string
	c := &cobra.Command{
		Use:   "invite [ADDRESS]",
		Short: "Create a one-time link that invites an editor",
		Long: "Invite creates a one-time link that is valid for seven days. The person who opens it chooses a name and a password and\n" +
			"gets the role: " + rolesText + " With ADDRESS the link\nworks for that person only, and earlier links for them become invalid. The first editor becomes the owner.",
		Example: "  tidings editor invite bob@example.org\n  tidings editor invite eve@example.org --role writer\n  tidings editor invite",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			email := strings.Join(args, "")
			if owner && c.Flags().Changed("role") {
				return usagef("use either --role or --owner")
			}
			if owner {
				role = string(store.OwnerRole)
			}
			given, err := store.ParseRole(role)
			if err != nil {
				return usagef("--role: %v", err)
			}
			return a.printLink(c, func(p *app.Service) (string, error) { return p.EditorLink(c.Context(), email, given) })
		},
	}
	c.Flags().StringVar(&role, "role", string(store.EditorRole), "role: viewer, writer, editor or owner")
	c.Flags().BoolVar(&owner, "owner", false, "the same as --role owner")
	return c
}

// rolesText explains the roles in the help of commands.
const rolesText = "a viewer reads, a writer writes articles and drafts, an\neditor approves and sends, and an owner also manages people and settings."

func newEditorRole(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "role ADDRESS ROLE",
		Short:   "Give an editor another role",
		Long:    "Role gives an editor another role: " + rolesText + "\nTheir sessions end, and links that they created become invalid. The last owner keeps the role.",
		Example: "  tidings editor role bob@example.org writer",
		Args:    exactly("ADDRESS", "ROLE"),
		RunE: func(c *cobra.Command, args []string) error {
			role, err := store.ParseRole(args[1])
			if err != nil {
				return usagef("%v", err)
			}
			return a.with(c.Context(), func(p *app.Service) error {
				editor, err := p.FindEditor(c.Context(), args[0])
				if err == nil {
					editor, err = p.Store.SetRole(c.Context(), editor.ID, role)
				}
				if err != nil {
					return err
				}
				return a.report(map[string]string{"editor": editor.Email, "role": string(role)}, "%s has the role %s now.", editor.Email, role)
			})
		},
	}
}

// printLink prints a link that a command makes.
func (a *cli) printLink(c *cobra.Command, work func(*app.Service) (string, error)) error {
	return a.with(c.Context(), func(p *app.Service) error {
		link, err := work(p)
		if err != nil {
			return err
		}
		return a.print(map[string]string{"link": link}, func(w io.Writer) { fmt.Fprintln(w, link) })
	})
}

func newEditorReset(a *cli) *cobra.Command {
	var factor, methods bool
	c := &cobra.Command{
		Use:   "reset ADDRESS",
		Short: "Create a one-time link to set a new password",
		Long: "Reset creates a one-time link, valid for a day, with which an editor chooses a new password. The old password\nworks until then. Earlier links for the editor become invalid.\n\n" +
			"With --second-factor it also turns the editor's two-step sign-in off and signs them out everywhere, for someone who\nlost their phone and their recovery codes. With --sign-in-methods it also removes their passkeys and their accounts\nat a sign-in provider, for an account that someone else may have used.\nEither way the editor gets a mail.",
		Example: "  tidings editor reset ada@example.org\n  tidings editor reset ada@example.org --second-factor\n  tidings editor reset ada@example.org --sign-in-methods",
		Args:    exactly("ADDRESS"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.printLink(c, func(p *app.Service) (string, error) {
				var err error
				switch {
				case methods:
					err = p.RemoveSignInMethods(c.Context(), args[0])
				case factor:
					err = p.RemoveSecondFactor(c.Context(), args[0])
				}
				if err != nil {
					return "", err
				}
				return p.PasswordLink(c.Context(), args[0])
			})
		},
	}
	c.Flags().BoolVar(&factor, "second-factor", false, "also turn two-step sign-in off, and end all sessions")
	c.Flags().BoolVar(&methods, "sign-in-methods", false, "also remove two-step sign-in, passkeys and provider accounts, and end all sessions")
	return c
}

// shownLink is a one-time link in a list. Its address is not stored.
type shownLink struct {
	ID      int64      `json:"id"`
	Purpose string     `json:"purpose"`
	Role    store.Role `json:"role,omitempty"`
	For     string     `json:"for,omitempty"`
	By      string     `json:"by,omitempty"`
	Expires time.Time  `json:"expires"`
}

func newEditorLinks(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "links",
		Short:   "List the valid one-time links",
		Long:    "Links lists invitations, password links and links for new addresses that are unused, not expired, and whose creator\nmay still sign in. The links themselves are not stored and cannot be shown again.",
		Example: "  tidings editor links",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
				list, err := shownLinks(c.Context(), p)
				if err != nil {
					return err
				}
				return a.print(list, func(w io.Writer) {
					for _, l := range list {
						fmt.Fprintf(w, "%d\t%s\t%s\t%s\tby %s\tuntil %s\n", l.ID, l.Purpose, l.Role, cmp.Or(l.For, "anyone"), cmp.Or(l.By, "the command line"), l.Expires.Format("2006-01-02 15:04 MST"))
					}
				})
			})
		},
	}
}

func shownLinks(ctx context.Context, p *app.Service) ([]shownLink, error) {
	links, err1 := p.Store.Links(ctx)
	editors, err2 := p.Store.Editors(ctx)
	address := map[int64]string{}
	for _, e := range editors {
		address[e.ID] = e.Email
	}
	list := []shownLink{}
	for _, l := range links {
		list = append(list, shownLink{l.ID, string(l.Purpose), l.Role, cmp.Or(l.Email, address[l.Editor]), address[l.Maker], l.Expires})
	}
	return list, errors.Join(err1, err2)
}

func newEditorRevoke(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "revoke ID",
		Short:   "Revoke a one-time link",
		Example: "  tidings editor links\n  tidings editor revoke 3",
		Args:    exactly("ID"),
		RunE: func(c *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usagef("%q is not the number of a link; \"tidings editor links\" shows them", args[0])
			}
			return a.with(c.Context(), func(p *app.Service) error {
				err := p.Store.RevokeLink(c.Context(), id)
				if errors.Is(err, store.ErrNotFound) {
					err = fmt.Errorf("no valid link has the number %d; \"tidings editor links\" shows them", id)
				}
				if err != nil {
					return err
				}
				return a.report(map[string]int64{"revoked": id}, "Link %d is revoked.", id)
			})
		},
	}
}

// changeEditor is a command that changes an editor's account by address.
func changeEditor(a *cli, name, short, long string, change func(context.Context, *store.Store, store.Editor) error, done string) *cobra.Command {
	return &cobra.Command{
		Use:     name + " ADDRESS",
		Short:   short,
		Long:    long,
		Example: "  tidings editor " + name + " bob@example.org",
		Args:    exactly("ADDRESS"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
				editor, err := p.FindEditor(c.Context(), args[0])
				if err == nil {
					err = change(c.Context(), p.Store, editor)
				}
				if err != nil {
					return err
				}
				return a.report(map[string]string{"editor": editor.Email, "changed": name}, done, editor.Email)
			})
		},
	}
}

func newEditorDisable(a *cli) *cobra.Command {
	return changeEditor(a, "disable", "Disable an editor's account", "Disable ends an editor's sessions; they cannot sign in until \"tidings editor enable\". Links that they created, and\npassword links for them, become invalid.",
		func(ctx context.Context, s *store.Store, e store.Editor) error {
			e.Disabled = s.Now()
			return s.UpdateEditor(ctx, e, "")
		}, "%s is disabled.")
}

func newEditorEnable(a *cli) *cobra.Command {
	return changeEditor(a, "enable", "Enable an editor's account", "Enable lets a disabled editor sign in again.",
		func(ctx context.Context, s *store.Store, e store.Editor) error {
			e.Disabled = time.Time{}
			return s.UpdateEditor(ctx, e, "")
		}, "%s may sign in again.")
}

func newEditorRemove(a *cli) *cobra.Command {
	return changeEditor(a, "remove", "Remove an editor's account", "Remove ends an editor's sessions and removes the account with all links that they created.",
		func(ctx context.Context, s *store.Store, e store.Editor) error { return s.DeleteEditor(ctx, e.ID) }, "The account of %s is removed.")
}
