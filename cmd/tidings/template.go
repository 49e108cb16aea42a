package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/templates"
)

func newTemplate(a *cli) *cobra.Command {
	return group("template", "List, copy, preview and check the templates of mails",
		newTemplateList(a), newTemplateNew(a), newTemplatePreview(a), newTemplateCheck(a))
}

func newTemplateList(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the built-in templates and your own, and which files replace built-in ones",
		Example: "  tidings template list",
		Args:    exactly(),
		RunE: func(*cobra.Command, []string) error {
			c, err := a.config()
			if err != nil {
				return err
			}
			mails, parts, err := templates.List(c.Templates)
			if err != nil {
				return err
			}
			return a.print(map[string]any{"templates": mails, "parts": parts}, func(w io.Writer) { printTemplates(w, mails, parts) })
		},
	}
}

func printTemplates(w io.Writer, mails []templates.Listed, parts []string) {
	for _, m := range mails {
		kind := "your own: "
		switch {
		case m.BuiltIn && len(m.Own) == 0:
			kind = "built-in"
		case m.BuiltIn:
			kind = "built-in, replaced by "
		}
		fmt.Fprintf(w, "%s\t%s\t%s%s\n", m.Name, m.For, kind, strings.Join(m.Own, ", "))
	}
	for _, part := range parts {
		fmt.Fprintf(w, "shared part\tall mails\t%s\n", part)
	}
}

func newTemplateNew(a *cli) *cobra.Command {
	var from string
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Copy a built-in template into your templates folder, to change it",
		Long: `New writes NAME.html and NAME.txt into the folder mail/ of your templates: a copy of a built-in template together
with the shared parts that it uses. It never overwrites a file.`,
		Example: "  tidings template new our-letter --from letter",
		Args:    exactly("NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := a.config()
			if err != nil {
				return err
			}
			if c.Templates == "" {
				return &usageError{c.Problem("templates", "no folder for your own templates is configured", "create a folder and name it, such as templates: ./templates")}
			}
			written, err := templates.Copy(c.Templates, args[0], from)
			if err != nil {
				return err
			}
			return a.report(map[string]any{"name": args[0], "from": from, "files": written}, "wrote %s; a digest uses it with template: %s", strings.Join(written, " and "), args[0])
		},
	}
	c.Flags().StringVar(&from, "from", "digest", "built-in template to copy")
	return c
}

func newTemplatePreview(a *cli) *cobra.Command {
	var dir, lang string
	var open bool
	c := &cobra.Command{
		Use:     "preview NAME",
		Short:   "Write a template with sample data as HTML and text",
		Long:    "Preview renders a template with sample data, and writes it to NAME.html and NAME.txt. \"tidings digest preview\" shows a digest's own articles.",
		Example: "  tidings template preview letter\n  tidings template preview our-letter --lang ar --open",
		Args:    exactly("NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := language.Parse(lang); err != nil {
				return usagef("--lang %q is not a language tag; write it like --lang fr", lang)
			}
			c, err := a.config()
			if err != nil {
				return err
			}
			out, err := templates.Preview(c.Templates, args[0], lang)
			if err != nil {
				return &usageError{err}
			}
			return a.writeTemplatePreview(filepath.Join(dir, args[0]), out, open)
		},
	}
	c.Flags().StringVar(&dir, "dir", ".", "folder to write to")
	c.Flags().StringVar(&lang, "lang", "en", "language of the fixed phrases")
	c.Flags().BoolVar(&open, "open", false, "open the HTML file in the browser")
	return c
}

func (a *cli) writeTemplatePreview(path string, out templates.Rendered, open bool) error {
	if a.json {
		return a.print(map[string]any{"subject": out.Subject, "html": out.HTML, "text": out.Text}, nil)
	}
	for suffix, text := range map[string]string{".html": out.HTML, ".txt": out.Text} {
		if err := os.WriteFile(path+suffix, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := a.report(nil, "wrote %s.html (%d KB) and %s.txt", path, len(out.HTML)/1000, path); err != nil || !open {
		return err
	}
	return openBrowser(path + ".html")
}

func newTemplateCheck(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "check [NAME]",
		Short:   "Check a template, or all, with sample data",
		Long:    "Check renders a template with all kinds of sample data, as serve does at its start. An error names the file, the line and how to fix it.",
		Example: "  tidings template check our-letter\n  tidings template check",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := a.config()
			if err != nil {
				return err
			}
			checked, err := templates.Check(c.Templates, strings.Join(args, ""))
			if err != nil {
				return &usageError{err}
			}
			return a.report(map[string]any{"checked": checked}, "no errors in %s", strings.Join(checked, ", "))
		},
	}
}
