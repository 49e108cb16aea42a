package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/copies"
	"github.com/tidings-press/tidings/internal/store"
)

func newArticle(a *cli) *cobra.Command {
	return group("article", "Import, list, show and remove articles",
		newArticleImport(a), newArticleList(a), newArticleShow(a), newArticleRemove(a))
}

const importLong = `Import imports files and folders: Markdown with YAML, TOML or JSON front matter, HTML, plain
text, and JSON lines. A file that was imported before is recognised, even if it was renamed or its
folder has moved. If it is unchanged nothing happens; if it changed, its article is updated and keeps
its id.

Drafts, scheduled, unlisted and expired articles are withheld as their front matter says. A file
with a value that is not understood, such as draft: maybe, is refused.

Problems of a file are reported with their lines; the other files are imported, and the exit code is 3.`

func newArticleImport(a *cli) *cobra.Command {
	var im ingest.Importer
	var watch bool
	c := &cobra.Command{
		Use:     "import PATH...",
		Short:   "Import files and folders",
		Long:    importLong,
		Example: "  tidings article import blog/\n  tidings article import --watch --base-url https://blog.example.org/ blog/\n  tidings article import --strip '^Advertisement$' page.txt",
		Args:    atLeast("PATH"),
		RunE: func(c *cobra.Command, paths []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
				im.Store, im.Config = p.Store, p.Config
				if watch {
					return a.watch(c.Context(), &im, paths)
				}
				return errors.Join(a.importAll(c.Context(), &im, paths), a.warnQueues(c.Context(), p))
			})
		},
	}
	flags := c.Flags()
	flags.BoolVar(&watch, "watch", false, "keep running and import files that change, until Ctrl-C")
	flags.StringVar(&im.BaseURL, "base-url", "", "address of the articles' site, such as https://blog.example.org/")
	flags.StringArrayVar(&im.Strip, "strip", nil, "regular expression of lines to drop; may be repeated")
	flags.BoolVar(&im.DateFromFile, "date-from-file", false, "use the file's time when no date is given")
	return c
}

// importAll imports every path and prints a summary.
func (a *cli) importAll(ctx context.Context, im *ingest.Importer, paths []string) error {
	var reports []ingest.FileReport
	var problems, warnings []*ingest.Problem
	bar := a.bar("importing")
	im.Report = func(r ingest.FileReport) {
		bar.done() // so that the messages are printed below it
		if a.json {
			reports = append(reports, r)
		}
		problems, warnings = append(problems, r.Problems...), append(warnings, r.Warnings...)
	}
	im.Progress = func(done, of int) { bar.set(int64(done), int64(of)) }
	var sum ingest.Summary
	for _, path := range paths {
		one, err := im.Import(ctx, path)
		bar.done()
		sum = sum.Plus(one)
		if err != nil {
			a.reportProblems(problems, warnings)
			return err
		}
	}
	a.reportProblems(problems, warnings)
	if err := a.makeCopies(ctx, im.Store); err != nil {
		return err
	}
	err := a.print(map[string]any{"summary": sum, "files": reports}, func(w io.Writer) { fmt.Fprintln(w, sum) })
	if err == nil && sum.Problems > 0 {
		err = errPartly
	}
	return err
}

// makeCopies makes the smaller copies of imported images. The import has already reported those that
// cannot have any.
func (a *cli) makeCopies(ctx context.Context, s *store.Store) error {
	waiting, err := s.CountImagesWithoutCopies(ctx)
	if err != nil {
		return err
	}
	bar := a.bar("making smaller copies of images")
	defer bar.done()
	done := int64(0)
	return copies.MakeMissing(ctx, s, func(string, error) {
		done++
		bar.set(done, max(done, waiting))
	})
}

// reportProblems prints what was left out, and what was imported with a warning, by cause.
func (a *cli) reportProblems(problems, warnings []*ingest.Problem) {
	for _, group := range ingest.GroupProblems(problems) {
		a.warn("%v", group)
	}
	for _, group := range ingest.GroupProblems(warnings) {
		a.warn("%v (imported anyway)", group)
	}
}

// watch imports what changes until Ctrl-C.
func (a *cli) watch(ctx context.Context, im *ingest.Importer, paths []string) error {
	im.Report = func(r ingest.FileReport) {
		a.reportProblems(r.Problems, r.Warnings)
		for _, one := range r.Articles {
			if one.Outcome != store.Unchanged {
				change := map[string]string{"outcome": string(one.Outcome), "slug": one.Slug, "file": r.File}
				if err := a.report(change, "%s %s (%s)", one.Outcome, one.Slug, r.File); err != nil {
					a.warn("%v", err)
				}
			}
		}
	}
	return im.Watch(ctx, paths, func() { a.warn("watching; press Ctrl-C to stop") })
}

// shownArticle is an article in a list.
type shownArticle struct {
	ID        string    `json:"id"`
	Slug      string    `json:"slug"`
	Title     string    `json:"title"`
	Language  string    `json:"language,omitempty"`
	Tags      []string  `json:"tags,omitempty"`
	Published time.Time `json:"published"`
	Status    string    `json:"status"`
	URL       string    `json:"url"`
}

const articleListLong = `List shows each article with its date, its status, its language and its slug:

  published  public
  scheduled  becomes public at its date
  unlisted   found by its address only: in no feed, list, search, sitemap or edition
  draft      not public
  withdrawn  removed, or expired; its page answers 410 if it was public before`

func newArticleList(a *cli) *cobra.Command {
	var filter string
	var limit int
	var statuses []string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List articles, newest first",
		Long:    articleListLong,
		Example: "  tidings article list\n  tidings article list --status draft,scheduled\n  tidings article list --filter 'golang AND lang:en' --limit 100 --json",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			parsed, err := article.ParseFilter(filter)
			if err != nil {
				return &usageError{err}
			}
			for _, status := range statuses {
				if !slices.Contains(article.Statuses, article.Status(status)) {
					return usagef("--status: unknown status %q; statuses: %s", status, joined(article.Statuses))
				}
			}
			return a.with(c.Context(), func(p *app.Service) error {
				found, err := p.ListArticles(c.Context(), parsed, statuses, limit)
				if err != nil {
					return err
				}
				return a.printArticles(p, found)
			})
		},
	}
	c.Flags().StringSliceVar(&statuses, "status", nil, "only this status: published, scheduled, unlisted, draft or withdrawn")
	c.Flags().StringVar(&filter, "filter", "", "only articles that match, such as 'golang AND NOT jobs'")
	limitFlag(c, &limit, 50, 1, "maximum number to list")
	return c
}

func (a *cli) printArticles(p *app.Service, found []store.StoredArticle) error {
	list := make([]shownArticle, len(found))
	for i := range found {
		one := &found[i].Article
		list[i] = shownArticle{one.ID, one.Slug, one.Title, one.Language, one.Tags, one.Published, string(one.StatusAt(p.Store.Now())), one.URLFor(p.Config.Site.URL)}
	}
	zone, err := time.LoadLocation(p.Config.Site.Timezone)
	if err != nil {
		return err
	}
	return a.print(list, func(w io.Writer) {
		for _, one := range list {
			date := one.Published.In(zone).Format(time.DateOnly)
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", date, one.Status, one.Language, one.Slug, one.Title)
		}
	})
}

func newArticleShow(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "show ARTICLE",
		Short:   "Show an article, by its id or slug",
		Example: "  tidings article show a-new-bridge\n  tidings article show a-new-bridge --json",
		Args:    exactly("ARTICLE"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
				one, err := p.FindArticle(c.Context(), args[0])
				if err != nil {
					return err
				}
				return a.print(one, func(w io.Writer) { showArticle(w, &one, p) })
			})
		},
	}
}

func showArticle(w io.Writer, one *article.Article, p *app.Service) {
	fmt.Fprintf(w, "%s\n%s\n\n", one.Title, one.URLFor(p.Config.Site.URL))
	for _, row := range [][2]string{
		{"id", one.ID}, {"status", string(one.StatusAt(p.Store.Now()))}, {"language", one.Language}, {"authors", app.AuthorNames(one)}, {"tags", fmt.Sprint(one.Tags)},
		{"published", one.Published.Format(time.RFC3339)}, {"updated", one.Updated.Format(time.RFC3339)}, {"imported", one.Ingested.Format(time.RFC3339)}, {"source", one.Source},
	} {
		fmt.Fprintf(w, "%s\t%s\n", row[0], row[1])
	}
	if !one.Expires.IsZero() {
		fmt.Fprintf(w, "expires\t%s\n", one.Expires.Format(time.RFC3339))
	}
	fmt.Fprintf(w, "\n%s\n\n%s\n", one.Summary, one.HTML)
}

func newArticleRemove(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "remove ARTICLE...",
		Short:   "Remove articles, by id or slug: their pages answer 410, feeds list the removal",
		Example: "  tidings article remove a-new-bridge",
		Args:    atLeast("ARTICLE"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
				removed := []string{}
				for _, name := range args {
					one, err := p.FindArticle(c.Context(), name)
					if err != nil {
						return err
					}
					if err := p.Store.RemoveArticle(c.Context(), one.ID); err != nil {
						return err
					}
					if err := a.warnEditionsWith(c.Context(), p, one); err != nil {
						return err
					}
					removed = append(removed, one.Slug)
				}
				return a.report(map[string][]string{"removed": removed}, "removed %s", strings.Join(removed, ", "))
			})
		},
	}
}

// warnEditionsWith warns of editions in progress that still contain a removed article.
func (a *cli) warnEditionsWith(ctx context.Context, p *app.Service, one article.Article) error {
	held, err := p.Store.EditionsUnderWay(ctx, one.ID)
	for _, id := range held {
		a.warn("edition %s is being sent and still contains %s; pause it with: tidings digest pause %s", id, one.Slug, id)
	}
	return err
}
