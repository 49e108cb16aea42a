package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/digest"
)

// shownDraft is a draft in the form that "digest edit" prints.
type shownDraft struct {
	Edition  string         `json:"edition"`
	Revision string         `json:"revision"`
	Subject  string         `json:"subject"`
	Sections []draftSection `json:"sections"`
	Edits    digest.Edits   `json:"edits"`
}

type draftSection struct {
	Heading  string         `json:"heading,omitempty"`
	Articles []draftArticle `json:"articles"`
}

type draftArticle struct {
	ID    string `json:"id"`
	Slug  string `json:"slug"`
	Title string `json:"title"`
	Form  string `json:"form,omitempty"` // empty for the template's form
}

func showDraft(c *delivery.Composition) shownDraft {
	out := shownDraft{Edition: c.Edition.ID, Revision: c.Revision, Subject: cmp.Or(c.Subject, c.AutomaticSubject), Sections: []draftSection{}, Edits: c.Edits}
	for _, section := range c.Sections() {
		shown := draftSection{Heading: section.Heading}
		for i := range section.Articles {
			a := &section.Articles[i]
			shown.Articles = append(shown.Articles, draftArticle{a.ID, a.Slug, a.Title, string(cmp.Or(c.Edits.Forms[a.ID], section.Form))})
		}
		out.Sections = append(out.Sections, shown)
	}
	return out
}

func (s shownDraft) lines(w io.Writer) {
	fmt.Fprintf(w, "“%s”\n", s.Subject)
	for _, section := range s.Sections {
		if section.Heading != "" {
			fmt.Fprintf(w, "%s\n", section.Heading)
		}
		for _, a := range section.Articles {
			fmt.Fprintf(w, "  %s\n", a.Title)
		}
	}
	fmt.Fprintf(w, "look at it with: tidings digest show %s\n", s.Edition)
}

const editLong = `Edit opens a draft in the editor that VISUAL or EDITOR names, as a YAML file: subject, preheader, lead,
intro and outro in Markdown, a sponsor, the articles in their order with sections and forms, and articles to take
out or to add. The file explains its keys. When it is saved, it is checked; what is wrong is listed with its line, and
the file can be opened again. If somebody else changed the draft meanwhile, nothing is stored and the file is kept.

--print writes the file to standard output, and --file applies one without an editor. Keys that it lacks
leave the draft as it is. Only drafts can be edited: an approval freezes the edition.`

func newEdit(a *cli) *cobra.Command {
	var file string
	var show bool
	c := &cobra.Command{
		Use:     "edit EDITION",
		Short:   "Compose a draft: order, sections, intro, subject, articles to leave out or add",
		Long:    editLong,
		Example: "  tidings digest edit 0b6cc0e4\n  tidings digest edit 0b6cc0e4 --print > draft.yaml\n  tidings digest edit 0b6cc0e4 --file draft.yaml",
		Args:    exactly("EDITION"),
		RunE: a.withEngine(func(ctx context.Context, p *app.Service, e *delivery.Engine, args []string) error {
			edition, err := p.FindEdition(ctx, args[0])
			if err != nil {
				return err
			}
			switch {
			case show:
				return a.printDraft(ctx, e, edition.ID)
			case file != "":
				return a.applyDraft(ctx, e, edition.ID, file)
			}
			return a.editDraft(ctx, e, edition.ID)
		}),
	}
	c.Flags().StringVar(&file, "file", "", "apply this file, - for standard input, without an editor")
	c.Flags().BoolVar(&show, "print", false, "print the draft as a file to edit")
	c.MarkFlagsMutuallyExclusive("file", "print")
	return c
}

// draftEditor is the editor that the command line's changes are recorded for.
const draftEditor = "command line"

// printDraft prints a draft as a file to edit, or as JSON.
func (a *cli) printDraft(ctx context.Context, e *delivery.Engine, id string) error {
	c, err := e.Composition(ctx, id, draftEditor, "")
	if err != nil {
		return err
	}
	if a.json {
		return a.print(showDraft(c), nil)
	}
	text, err := draftText(ctx, e, c)
	if err == nil {
		_, err = a.stdout.Write(text)
	}
	return err
}

// draftText returns a draft as a file to edit.
func draftText(ctx context.Context, e *delivery.Engine, c *delivery.Composition) ([]byte, error) {
	const addable = 20
	more, err := e.Addable(ctx, c, addable)
	if err != nil {
		return nil, err
	}
	return app.WriteDraftFile(c, more)
}

// applyDraft makes the changes of a file to a draft.
func (a *cli) applyDraft(ctx context.Context, e *delivery.Engine, id, file string) error {
	in, err := a.input(file)
	if err != nil {
		return err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, app.MaxDraftFile+1))
	if err != nil {
		return err
	}
	if file == "-" {
		file = "standard input"
	}
	c, err := app.ApplyDraftFile(ctx, e, id, draftEditor, file, data)
	if err != nil {
		return explainChanged(err, id)
	}
	return a.print(showDraft(c), showDraft(c).lines)
}

// explainChanged adds to the error for a draft that somebody else has changed how to apply a file
// nevertheless.
func explainChanged(err error, id string) error {
	var changed *delivery.ChangedError
	if !errors.As(err, &changed) {
		return err
	}
	return fmt.Errorf("nothing was stored: %w; look at it with \"tidings digest edit %s --print\", take over what you want to keep, and put its revision into your file", err, id)
}

// editDraft opens a draft in an editor until what is saved can be applied.
func (a *cli) editDraft(ctx context.Context, e *delivery.Engine, id string) error {
	editor := cmp.Or(os.Getenv("VISUAL"), os.Getenv("EDITOR"))
	if editor == "" {
		return usagef("no editor is set; set EDITOR, or use --print and --file")
	}
	c, err := e.Composition(ctx, id, draftEditor, "")
	if err != nil {
		return err
	}
	before, err := draftText(ctx, e, c)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "tidings-edit-")
	if err != nil {
		return err
	}
	path := filepath.Join(folder, id+".yaml")
	if err := os.WriteFile(path, before, 0o600); err != nil {
		return err
	}
	changed, err := a.editFile(ctx, e, c, editor, path, before)
	if err != nil {
		return fmt.Errorf("%w\nyour changes are in %s; apply them with: tidings digest edit %s --file %s", explainChanged(err, id), path, id, path)
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if changed == nil {
		a.warn("nothing was changed")
		changed = c
	}
	return a.print(showDraft(changed), showDraft(changed).lines)
}

// editFile opens a file in the editor, again as long as it has problems and the answer is to edit it
// again. It returns nil if the file was not changed.
func (a *cli) editFile(ctx context.Context, e *delivery.Engine, c *delivery.Composition, editor, path string, before []byte) (*delivery.Composition, error) {
	answers := bufio.NewReader(io.LimitReader(a.stdin, 10_000))
	for {
		if err := a.openEditor(ctx, editor, path); err != nil {
			return nil, err
		}
		data, err := os.ReadFile(path)
		if err != nil || bytes.Equal(data, before) {
			return nil, err
		}
		changed, err := app.ApplyDraftFile(ctx, e, c.Edition.ID, draftEditor, path, data)
		var problems config.Problems
		if !errors.As(err, &problems) {
			return changed, err
		}
		fmt.Fprintln(a.stderr, problems)
		fmt.Fprint(a.stderr, "Edit it again? Type yes or no: ")
		answer, readErr := answers.ReadString('\n')
		if word := strings.ToLower(strings.TrimSpace(answer)); readErr != nil && word == "" || word != "yes" && word != "y" {
			return nil, errors.New("not applied")
		}
	}
}

// openEditor runs the editor, a command of the shell, with a file.
func (a *cli) openEditor(ctx context.Context, editor, path string) error {
	command := exec.CommandContext(ctx, "sh", "-c", editor+` "$1"`, "sh", path)
	command.Stdin, command.Stdout, command.Stderr = a.stdin, a.stderr, a.stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("the editor %s: %w", editor, err)
	}
	return nil
}
