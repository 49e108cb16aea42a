package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// messageFlags are the flags with which a message is written.
type messageFlags struct {
	digests, files, articles              []string
	segment, subject, preheader, template string
	public, private                       bool
}

func (f *messageFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.digests, "digest", nil, "digest whose subscribers get it; the first one gives the sender (repeatable; default all)")
	c.Flags().StringVar(&f.segment, "segment", "", "only these subscribers, such as 'label:donor AND lang:fr'")
	c.Flags().StringVar(&f.subject, "subject", "", "subject")
	c.Flags().StringVar(&f.preheader, "preheader", "", "the line that inboxes show beside the subject")
	c.Flags().StringArrayVar(&f.files, "file", nil, "Markdown file with the text, - for standard input; LANG=FILE for one language (repeatable)")
	c.Flags().StringArrayVar(&f.articles, "article", nil, "id of an article to show after the text (repeatable)")
	c.Flags().StringVar(&f.template, "template", "", "mail template")
	c.Flags().BoolVar(&f.public, "public", false, "everyone may read it on the web (default without --segment)")
	c.Flags().BoolVar(&f.private, "private", false, "it is on no list on the web (default with --segment)")
	c.MarkFlagsMutuallyExclusive("public", "private")
}

const messageNewLong = `New stores a message as a draft and sends nothing. The text is Markdown: --file names a file, and without it the editor that
VISUAL or EDITOR names opens an empty one. --file fr=lettre.md adds a text for subscribers who get mails in French; the
text without a language is for all others.

Without --digest the message is for the subscribers of all digests; the first digest gives the sender and the number. A
segment selects some of them: conditions joined by AND, each of which NOT reverses, and one of several values must hold.

  label:donor,"board member"   subscribers with one of these labels
  lang:fr                      subscribers who get mails in French
  topic:harbour                subscribers who chose this topic, or all topics
  joined-since:2026-01-31      subscribers who were added on this day or later
  joined-before:2026-06-01     subscribers who were added earlier`

func newMessageNew(a *cli) *cobra.Command {
	var f messageFlags
	c := &cobra.Command{
		Use:     "new --subject SUBJECT",
		Short:   "Write a message; it is stored as a draft",
		Long:    messageNewLong,
		Example: "  tidings message new --digest weekly --subject 'We are moving' --file letter.md\n  tidings message new --segment 'label:donor AND NOT lang:fr' --subject 'Thank you'",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if f.subject == "" {
				return usagef("--subject is missing; usage: %s", c.UseLine())
			}
			return a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, _ []string) error {
				m := delivery.Message{Audience: digest.Audience{Digests: p.Config.DigestNames(), Public: f.segment == ""}}
				if err := f.change(a, c, &m); err != nil {
					return err
				}
				store := func() error {
					edition, err := e.NewMessage(ctx, draftEditor, m)
					if err != nil {
						return err
					}
					return a.reportMessage(ctx, e, edition)
				}
				if len(f.files) > 0 {
					return store()
				}
				return a.writeText(ctx, m.Text, store)
			})(c, args)
		},
	}
	f.add(c)
	return c
}

// reportMessage prints a stored draft and what to do next.
func (a *cli) reportMessage(ctx context.Context, e *delivery.Engine, edition store.Edition) error {
	shown, err := showMessage(ctx, e, edition)
	if err != nil {
		return err
	}
	recipients, err := e.EditionRecipients(ctx, edition)
	if err != nil {
		return err
	}
	return a.report(shown, "message %s is a draft for %s: %s.%s\nlook at it with: tidings message show %[1]s\nsend it with: tidings message send %[1]s",
		edition.ID, some(recipients.Count, "subscriber", "subscribers"), audienceText(shown.Digests, shown.Segment), skippedText(recipients.Skipped))
}

// messageFlagNames are the names of the flags.
var messageFlagNames = []string{"digest", "segment", "subject", "preheader", "file", "article", "template", "public", "private"}

// given reports whether one of the flags was given.
func (f *messageFlags) given(c *cobra.Command) bool {
	return slices.ContainsFunc(messageFlagNames, c.Flags().Changed)
}

// change applies the flags that were given to a message.
func (f *messageFlags) change(a *cli, c *cobra.Command, m *delivery.Message) error {
	given := c.Flags().Changed
	for flag, set := range map[string]func(){
		"digest":    func() { m.Audience.Digests = f.digests },
		"segment":   func() { m.Audience.Segment = f.segment },
		"subject":   func() { m.Subject = f.subject },
		"preheader": func() { m.Preheader = f.preheader },
		"article":   func() { m.Articles = slices.DeleteFunc(f.articles, func(id string) bool { return id == "" }) },
		"template":  func() { m.Audience.Template = f.template },
		"public":    func() { m.Audience.Public = f.public },
		"private":   func() { m.Audience.Public = !f.private },
	} {
		if given(flag) {
			set()
		}
	}
	texts := maps.Clone(m.Text)
	if texts == nil {
		texts = map[string]string{}
	}
	for _, one := range f.files {
		lang, file := "", one
		if before, after, found := strings.Cut(one, "="); found {
			if tag, err := language.Parse(before); err == nil {
				lang, file = tag.String(), after
			}
		}
		text, err := a.readText(file)
		if err != nil {
			return err
		}
		texts[lang] = text
	}
	m.Text = texts
	return nil
}

// maxText bounds a file with a text. A message holds less.
const maxText = 1 << 20

// readText reads a text from a file, or from standard input for "-".
func (a *cli) readText(file string) (string, error) {
	in := io.NopCloser(a.stdin)
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return "", usagef("--file: %w", err)
		}
		in = opened
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, maxText))
	return string(data), err
}

// writeText opens the text for every language in the editor and calls store with what was saved. If
// that fails, the file is kept.
func (a *cli) writeText(ctx context.Context, texts map[string]string, store func() error) error {
	editor := cmp.Or(os.Getenv("VISUAL"), os.Getenv("EDITOR"))
	if editor == "" {
		return usagef("no editor is set; set EDITOR, or name a file with --file")
	}
	folder, err := os.MkdirTemp("", "tidings-message-")
	if err != nil {
		return err
	}
	file := filepath.Join(folder, "message.md")
	err = os.WriteFile(file, []byte(texts[""]), 0o600)
	if err == nil {
		err = a.openEditor(ctx, editor, file)
	}
	if err == nil {
		texts[""], err = a.readText(file)
	}
	if err == nil {
		err = store()
	}
	if err != nil {
		return fmt.Errorf("%w\nyour text is in %s; use it with --file", err, file)
	}
	return os.RemoveAll(folder)
}

const messageEditLong = `Edit changes a message that was not approved. The flags replace what they name; without any, the editor that VISUAL or
EDITOR names opens the text. An empty file given with --file LANG=FILE removes the text in a language, and --article '' all articles.`

func newMessageEdit(a *cli) *cobra.Command {
	var f messageFlags
	c := &cobra.Command{
		Use:     "edit EDITION",
		Short:   "Change a message that was not approved",
		Long:    messageEditLong,
		Example: "  tidings message edit 0b6cc0e4\n  tidings message edit 0b6cc0e4 --subject 'We moved' --file letter.md",
		Args:    exactly("EDITION"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.withMessage(func(ctx context.Context, _ *app.Service, e *delivery.Engine, edition store.Edition) error {
				m, err := delivery.MessageOf(edition)
				if err == nil {
					err = f.change(a, c, &m)
				}
				if err != nil {
					return err
				}
				store := func() error {
					edited, err := e.EditMessage(ctx, edition, m)
					if err != nil {
						return fmt.Errorf("nothing was changed: %w", err)
					}
					return a.reportMessage(ctx, e, edited)
				}
				if f.given(c) {
					return store()
				}
				return a.writeText(ctx, m.Text, store)
			})(c, args)
		},
	}
	f.add(c)
	return c
}
