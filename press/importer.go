package press

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/tidings-press/tidings/article"
	"github.com/tidings-press/tidings/config"
	"github.com/tidings-press/tidings/schedule"
	"github.com/tidings-press/tidings/store"
)

// Importer brings files and folders into the store.
type Importer struct {
	Store  *store.Store
	Config *config.Config
	// These stand above what the configuration says of a source.
	BaseURL      string
	Strip        []string
	DateFromFile bool
	// Report is told of every file when it is done; nil for nobody.
	Report func(FileReport)
}

// FileReport is what became of one file.
type FileReport struct {
	File      string             `json:"file"`
	Articles  []ArticleReport    `json:"articles,omitempty"`
	Redirects int                `json:"redirects,omitempty"`
	Problems  []*article.Problem `json:"problems,omitempty"` // what was left out
	Warnings  []*article.Problem `json:"warnings,omitempty"` // what was mended
	Done, Of  int                `json:"-"`                  // files so far, and in all
}

// ArticleReport is what became of one article.
type ArticleReport struct {
	ID      string           `json:"id"`
	Slug    string           `json:"slug"`
	Title   string           `json:"title"`
	Outcome store.ChangeKind `json:"outcome"`
	Status  article.Status   `json:"status"` // as article.StatusAt gives it
}

// Summary counts what an import did.
type Summary struct {
	Files     int `json:"files"`
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	KeptBack  int `json:"kept_back"` // articles that are not out: drafts, scheduled, unlisted and withdrawn ones
	Redirects int `json:"redirects"`
	Problems  int `json:"problems"`
	Warnings  int `json:"warnings"`
}

func (s *Summary) add(r FileReport) {
	s.Files++
	s.Redirects += r.Redirects
	s.Problems += len(r.Problems)
	s.Warnings += len(r.Warnings)
	for _, a := range r.Articles {
		if a.Status != article.Published {
			s.KeptBack++
		}
		switch a.Outcome {
		case store.Created:
			s.Created++
		case store.Updated:
			s.Updated++
		default:
			s.Unchanged++
		}
	}
}

// Import takes a file or a whole folder from disk. An error is about the store or the path as a
// whole; what is wrong with single files is counted and reported, and stops nothing.
func (im *Importer) Import(ctx context.Context, target string) (Summary, error) {
	info, err := os.Stat(target)
	if errors.Is(err, os.ErrNotExist) {
		return Summary{}, fmt.Errorf("there is no %s; right would be: a file or folder with articles", target)
	}
	if err != nil {
		return Summary{}, err
	}
	if info.IsDir() {
		return im.importFrom(ctx, target, nil)
	}
	folder, name := filepath.Dir(target), filepath.Base(target)
	if strings.HasPrefix(name, "index.") { // it is named by its folder
		absolute, err := filepath.Abs(folder)
		if err != nil {
			return Summary{}, err
		}
		folder, name = filepath.Dir(absolute), filepath.Base(absolute)+"/"+name
	}
	return im.importFrom(ctx, folder, []string{name})
}

// importFrom imports the named files below a folder, or all of it when names is nil.
func (im *Importer) importFrom(ctx context.Context, folder string, names []string) (Summary, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return Summary{}, err
	}
	root, err := os.OpenRoot(absolute) // so that no link or image leads out of the folder
	if err != nil {
		return Summary{}, err
	}
	defer root.Close()
	options, err := im.options(absolute)
	if err != nil {
		return Summary{}, err
	}
	options.Source, options.Folder = filepath.ToSlash(absolute)+"/", filepath.ToSlash(absolute)
	return im.ImportFS(ctx, root.FS(), filepath.ToSlash(folder), names, options)
}

// ImportFS imports the named files of a file system, or all that it holds when
// names is nil. shown stands before their names in reports.
func (im *Importer) ImportFS(ctx context.Context, files fs.FS, shown string, names []string, options article.Options) (Summary, error) {
	var sum Summary
	if names == nil {
		var err error
		if names, err = importable(files); err != nil {
			return sum, err
		}
	}
	names = oldestFirst(files, names, options)
	options.Media = func(name string) ([]byte, error) { return readBounded(files, name, article.MaxMedium) }
	for i, name := range names {
		report, err := im.file(ctx, files, name, options)
		if err != nil {
			return sum, err
		}
		report.name(path.Join(shown, name))
		report.Done, report.Of = i+1, len(names)
		sum.add(report)
		if im.Report != nil {
			im.Report(report)
		}
	}
	return sum, nil
}

// name puts the name by which a person knows the file into a report.
func (r *FileReport) name(shown string) {
	r.File = shown
	for _, problems := range [][]*article.Problem{r.Problems, r.Warnings} {
		for _, p := range problems {
			p.File = shown
		}
	}
}

// importable lists the files of a folder that are articles. Hidden files and folders are not.
func importable(files fs.FS) ([]string, error) {
	var names []string
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && name != "."
		switch {
		case hidden && entry.IsDir():
			return fs.SkipDir
		case !hidden && !entry.IsDir() && article.Importable(name):
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// file imports one file. Its error is the store's.
func (im *Importer) file(ctx context.Context, files fs.FS, name string, options article.Options) (FileReport, error) {
	var report FileReport
	if err := ctx.Err(); err != nil {
		return report, err
	}
	data, err := readBounded(files, name, article.MaxFile)
	if err != nil {
		report.Problems = []*article.Problem{{What: "it cannot be read: " + cause(err), Right: "make it readable, and smaller than 64 MB"}}
		return report, nil
	}
	modified := im.Store.Now()
	if info, err := fs.Stat(files, name); err == nil && !info.ModTime().IsZero() {
		modified = info.ModTime()
	}
	found, problems := article.Import(article.File{Name: name, Data: data, Modified: modified}, options)
	report.Problems = problems
	for _, one := range found {
		if err := im.put(ctx, one, &report); err != nil {
			return report, err
		}
	}
	return report, nil
}

func (im *Importer) put(ctx context.Context, one article.Imported, report *FileReport) error {
	report.Warnings = append(report.Warnings, one.Warnings...)
	report.Redirects += len(one.Redirects)
	if one.Article == nil {
		return im.Store.PutRedirects(ctx, one.Redirects)
	}
	change, err := im.Store.PutArticle(ctx, one.Article, one.Redirects, one.Media)
	if err != nil {
		return fmt.Errorf("%s: %w", one.Article.Source, err)
	}
	report.Articles = append(report.Articles, ArticleReport{ID: change.ID, Slug: change.Slug, Title: one.Article.Title, Outcome: change.Outcome, Status: im.statusOf(one.Article, change)})
	return nil
}

// statusOf is what people are shown as the status of an article that was imported.
func (im *Importer) statusOf(a *article.Article, change store.Change) article.Status {
	if change.Removed {
		return article.Withdrawn
	}
	return a.StatusAt(im.Store.Now())
}

// options are those of the configured source that a folder belongs to, with the importer's own above.
func (im *Importer) options(folder string) (article.Options, error) {
	options, source := im.siteOptions(), im.source(folder)
	options.BaseURL = cmp.Or(im.BaseURL, source.BaseURL)
	options.Language, options.Author, options.Tags = source.Language, source.Author, source.Tags
	for _, patterns := range [][]string{im.Config.Import.Strip, source.Strip, im.Strip} {
		for _, pattern := range patterns {
			compiled, err := regexp.Compile(pattern)
			if err != nil {
				return options, fmt.Errorf("strip pattern %q: %w; right would be: a regular expression of Go (RE2)", pattern, err)
			}
			options.Strip = append(options.Strip, compiled)
		}
	}
	return options, nil
}

func (im *Importer) siteOptions() article.Options {
	zone, err := schedule.LoadZone(im.Config.Site.Timezone)
	if err != nil {
		zone = time.UTC
	}
	return article.Options{Site: im.Config.Site.URL, DateFromFile: im.DateFromFile, Zone: zone}
}

// source is the configured source whose folder holds a folder, the deepest if several do.
func (im *Importer) source(folder string) config.Source {
	var best config.Source
	depth := -1
	for _, source := range im.Config.Import.Sources {
		absolute, err := filepath.Abs(source.Path)
		if err != nil || folder != absolute && !strings.HasPrefix(folder, absolute+string(filepath.Separator)) || len(absolute) <= depth {
			continue
		}
		best, depth = source, len(absolute)
	}
	return best
}

// readBounded reads a file of at most one byte more than most, so that the reader can tell.
func readBounded(files fs.FS, name string, most int64) ([]byte, error) {
	info, err := fs.Stat(files, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%s has %d MB", name, info.Size()>>20)
	}
	return fs.ReadFile(files, name)
}

// cause says what happened, without the system call's name.
func cause(err error) string {
	var wrong *fs.PathError
	if errors.As(err, &wrong) {
		return wrong.Err.Error()
	}
	return err.Error()
}
