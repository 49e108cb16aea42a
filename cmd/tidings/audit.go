package main

import (
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
	"github.com/tidings-press/tidings/internal/subscriber"
)

func newAudit(a *cli) *cobra.Command {
	return group("audit", "Read the log of who did what", newAuditList(a))
}

// shownAudit is an entry of the audit log in the form that the command prints.
type shownAudit struct {
	At      time.Time `json:"at"`
	Who     string    `json:"who"`
	Action  string    `json:"action"`
	Kind    string    `json:"kind,omitempty"`
	Object  string    `json:"object,omitempty"`
	Detail  string    `json:"detail,omitempty"`
	Request string    `json:"request,omitempty"`
	Network string    `json:"network,omitempty"`
}

func newAuditList(a *cli) *cobra.Command {
	var f store.AuditFilter
	var object string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the newest entries of the audit log",
		Long:    "List prints who did what in the admin and on the command line, the newest first. Subscribers are named by number.",
		Example: "  tidings audit list --person ada@example.org\n  tidings audit list --object 'subscriber 12' --json",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			f.Kind, f.Object, _ = strings.Cut(object, " ")
			return a.with(c.Context(), func(p *app.Service) error {
				entries, err := p.Store.AuditLog(c.Context(), f)
				if err != nil {
					return err
				}
				list := []shownAudit{}
				for _, e := range entries {
					list = append(list, shownAudit{e.At.UTC(), e.Who, e.Action, e.Kind, e.Object, e.Detail, e.Request, e.Network})
				}
				return a.print(list, func(w io.Writer) {
					for _, e := range list {
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", e.At.In(p.Zone()).Format("2006-01-02 15:04 MST"), e.Who, e.Action, strings.TrimSpace(e.Kind+" "+e.Object), e.Detail)
					}
				})
			})
		},
	}
	c.Flags().StringVar(&f.Who, "person", "", "address of an editor, or \"command line\"")
	c.Flags().StringVar(&f.Action, "action", "", "keyword of an action, such as edition.approve")
	c.Flags().StringVar(&object, "object", "", "kind and id of an object, such as \"subscriber 12\"")
	limitFlag(c, &f.Limit, 100, 1, "number of entries")
	return c
}

// auditedCommands are the commands that leave an entry in the audit log when they succeed: the action
// and the kind of the object, which is the first argument.
var auditedCommands = map[string]struct{ action, kind string }{
	"article import": {"article.import", ""}, "article remove": {"article.remove", "article"},
	"backup now": {"backup.make", ""},
	"config set": {"settings.change", "setting"}, "config unset": {"settings.change", "setting"},
	"doctor":         {"doctor.accept", ""}, // with --accept
	"digest approve": {"edition.approve", "edition"}, "digest cancel": {"edition.cancel", "edition"}, "digest edit": {"edition.compose", "edition"},
	"digest hold": {"edition.hold", "edition"}, "digest pause": {"edition.pause", "edition"}, "digest resume": {"edition.resume", "edition"},
	"digest undo": {"edition.undo", "edition"}, "digest uncertain drop": {"edition.drop", "edition"}, "digest uncertain resend": {"edition.resend", "edition"},
	"digest mark-seen": {"digest.seen", "digest"}, "digest send": {"digest.send", "digest"}, "digest test": {"digest.test", "digest"},
	"editor disable": {"people.disable", "editor"}, "editor enable": {"people.enable", "editor"}, "editor invite": {"people.invite", ""},
	"editor remove": {"people.remove", "editor"}, "editor reset": {"people.reset", "editor"}, "editor revoke": {"people.revoke", "link"}, "editor role": {"people.role", "editor"},
	"message cancel": {"edition.cancel", "edition"}, "message edit": {"message.write", "edition"}, "message new": {"message.write", ""}, "message send": {"edition.approve", "edition"},
	"quarantine decide": {"quarantine.decide", "edition"}, "quarantine release": {"quarantine.release", ""},
	"subscriber add": {"subscriber.add", "subscriber"}, "subscriber clear-language": {"subscriber.clear-language", ""}, "subscriber erase": {"subscriber.erase", "subscriber"},
	"subscriber export": {"subscriber.export", ""}, "subscriber import": {"subscriber.import", ""}, "subscriber remove": {"subscriber.unsubscribe", "subscriber"},
	"subscriber suppress": {"subscriber.suppress", "subscriber"},
}

// audited runs the work of a command and appends its entry to the audit log, also if it did only part
// of the work.
func (a *cli) audited(ctx context.Context, p *app.Service, work func(*app.Service) error) error {
	entry, ok := a.auditEntry(ctx, p)
	err := work(p)
	if ok && (err == nil || errors.Is(err, errPartly)) {
		err = errors.Join(err, p.Store.AddAudit(ctx, entry))
	}
	return err
}

// auditEntry returns the entry of the command that runs; false if it changes nothing.
func (a *cli) auditEntry(ctx context.Context, p *app.Service) (store.AuditEntry, bool) {
	if a.command == nil {
		return store.AuditEntry{}, false
	}
	what, ok := auditedCommands[strings.TrimPrefix(a.command.CommandPath(), "tidings ")]
	if dry := a.command.Flags().Lookup("dry-run"); dry != nil && dry.Value.String() == "true" {
		ok = false
	}
	e := store.AuditEntry{Who: store.AuditCommandLine, Action: what.action, Kind: what.kind}
	if args := a.command.Flags().Args(); ok && len(args) > 0 {
		e.Object = auditObject(ctx, p, what.kind, args[0])
	}
	return e, ok
}

// auditObject returns the id of an object as the audit log has it: never an address.
func auditObject(ctx context.Context, p *app.Service, kind, name string) string {
	switch kind {
	case "edition":
		if e, err := p.FindEdition(ctx, name); err == nil {
			return e.ID
		}
	case "editor":
		if e, err := p.Store.EditorByEmail(ctx, name); err == nil {
			return strconv.FormatInt(e.ID, 10)
		}
	case "subscriber":
		address, err := subscriber.ParseAddress(name)
		if err != nil {
			return ""
		}
		if s, err := p.Store.SubscriberByAddress(ctx, address); err == nil {
			return strconv.FormatInt(s.ID, 10)
		}
		return ""
	case "article", "digest", "setting", "link":
		return name
	}
	return ""
}
