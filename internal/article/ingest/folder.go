package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
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
	File      string          `json:"file"`
	Articles  []ArticleReport `json:"articles,omitempty"`
	Redirects int             `json:"redirects,omitempty"`
	Problems  []*Problem      `json:"problems,omitempty"` // what was left out
	Warnings  []*Problem      `json:"warnings,omitempty"` // what was mended
	Done, Of  int             `json:"-"`                  // files so far, and in all
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

// Plus adds two summaries.
func (s Summary) Plus(t Summary) Summary {
	return Summary{s.Files + t.Files, s.Created + t.Created, s.Updated + t.Updated, s.Unchanged + t.Unchanged, s.KeptBack + t.KeptBack,
		s.Redirects + t.Redirects, s.Problems + t.Problems, s.Warnings + t.Warnings}
}

// String says the summary in a line.
func (s Summary) String() string {
	out := fmt.Sprintf("%d files: %d articles new, %d updated, %d unchanged", s.Files, s.Created, s.Updated, s.Unchanged)
	for _, part := range []struct {
		count int
		words string
	}{{s.KeptBack, "%d kept back"}, {s.Redirects, "%d old addresses redirected"}, {s.Problems, "%d left out"}, {s.Warnings, "%d warnings"}} {
		if part.count > 0 {
			out += fmt.Sprintf("; "+part.words, part.count)
		}
	}
	return out
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
		return im.importFrom(ctx, target, nil, nil)
	}
	if resolved, err := filepath.EvalSymlinks(target); err == nil {
		target = resolved // a link to a file is the file
	}
	folder, name := filepath.Dir(target), filepath.Base(target)
	if strings.HasPrefix(name, "index.") { // it is named by its folder
		absolute, err := filepath.Abs(folder)
		if err != nil {
			return Summary{}, err
		}
		folder, name = filepath.Dir(absolute), filepath.Base(absolute)+"/"+name
	}
	return im.importFrom(ctx, folder, []string{name}, nil)
}

// importFrom imports the named files below a folder, or all of it when names is nil.
// vanished are names that were seen to go.
func (im *Importer) importFrom(ctx context.Context, folder string, names []string, vanished map[string]bool) (Summary, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return Summary{}, err
	}
	resolved, err := filepath.EvalSymlinks(absolute) // a folder behind a link is the same folder
	if err != nil {
		return Summary{}, err
	}
	root, err := os.OpenRoot(resolved) // so that no link or image leads out of the folder
	if err != nil {
		return Summary{}, err
	}
	defer root.Close()
	options, err := im.options(absolute)
	if err != nil {
		return Summary{}, err
	}
	options.Folder = filepath.ToSlash(resolved)
	options.Source = strings.TrimSuffix(options.Folder, "/") + "/"
	if resolved != absolute {
		options.Alias = filepath.ToSlash(absolute) + "/"
	}
	return im.importNames(ctx, folderFS{root}, filepath.ToSlash(folder), names, vanished, options)
}

// ImportFS imports the named files of a file system, or all that it holds when
// names is nil. shown stands before their names in reports.
func (im *Importer) ImportFS(ctx context.Context, files fs.FS, shown string, names []string, options Options) (Summary, error) {
	return im.importNames(ctx, files, shown, names, nil, options)
}

func (im *Importer) importNames(ctx context.Context, files fs.FS, shown string, names []string, vanished map[string]bool, options Options) (Summary, error) {
	if names == nil {
		var err error
		if names, err = importable(files); err != nil {
			return Summary{}, err
		}
	}
	names, err := oldestFirst(ctx, files, names, options)
	if err != nil {
		return Summary{}, err
	}
	options.Media = func(name string) ([]byte, error) { return readBounded(files, name, MaxMedium) }
	run := importRun{Importer: im, matcher: newMatcher(im, files, options), shown: shown, total: len(names)}
	run.vanished = vanished
	for _, name := range names {
		if err := run.first(ctx, name); err != nil {
			return run.sum, err
		}
	}
	if err := run.assign(ctx); err != nil {
		return run.sum, err
	}
	return run.sum, run.second(ctx)
}

// importRun is one import of a folder. It goes over the files once, and then again over
// those that may be the new place of an article.
type importRun struct {
	*Importer
	*matcher
	shown string
	sum   Summary
	done  int
	total int
}

// first imports a file, unless one of its articles has to wait for the others.
func (run *importRun) first(ctx context.Context, name string) error {
	found, report, err := run.parse(ctx, name)
	if err != nil {
		return err
	}
	if run.read[name] = true; len(report.Problems) > 0 {
		run.broken[name] = true
	}
	waiting := false
	for i, one := range found {
		if one.Article != nil {
			arrived, err := run.recognise(ctx, one.Article, name)
			if err != nil {
				return err
			}
			if arrived != nil {
				arrived.report, arrived.index, waiting = report, i, true
				run.arrivals = append(run.arrivals, arrived)
				continue
			}
		}
		if err := run.put(ctx, one, report); err != nil {
			return err
		}
	}
	if !waiting {
		run.finish(report, name)
	}
	return nil
}

// second imports what had to wait. The files are read again, so that an import of many
// does not hold their texts in memory.
func (run *importRun) second(ctx context.Context) error {
	for len(run.arrivals) > 0 {
		name, report := run.arrivals[0].name, run.arrivals[0].report
		found, again, err := run.parse(ctx, name)
		if err != nil {
			return err
		}
		for len(run.arrivals) > 0 && run.arrivals[0].report == report {
			arrived := run.arrivals[0]
			run.arrivals = run.arrivals[1:]
			if arrived.index >= len(found) || found[arrived.index].Article == nil || found[arrived.index].Article.Source != arrived.facts.Source {
				report.Problems = append(report.Problems, again.Problems...) // it changed meanwhile
				continue
			}
			if arrived.id == "" && arrived.here != nil { // another file has the article that was here
				if err := run.Store.ReleaseSource(ctx, arrived.facts.Source); err != nil {
					return err
				}
			}
			found[arrived.index].Article.ID = arrived.id
			if err := run.put(ctx, found[arrived.index], report); err != nil {
				return err
			}
		}
		run.finish(report, name)
	}
	return nil
}

// finish counts and reports a file.
func (run *importRun) finish(report *FileReport, name string) {
	run.done++
	report.name(path.Join(run.shown, name))
	report.Done, report.Of = run.done, run.total
	run.sum.add(*report)
	if run.Report != nil {
		run.Report(*report)
	}
}

// name puts the name by which a person knows the file into a report.
func (r *FileReport) name(shown string) {
	r.File = shown
	for _, problems := range [][]*Problem{r.Problems, r.Warnings} {
		for _, p := range problems {
			p.File = shown
		}
	}
}

// importable lists the files of a folder that are articles. Hidden files and folders are
// not, nor is a symbolic link to a file that is listed itself.
func importable(files fs.FS) ([]string, error) {
	var names, links []string
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && name != "."
		switch {
		case hidden && entry.IsDir():
			return fs.SkipDir
		case hidden || entry.IsDir() || !Importable(name):
		case entry.Type()&fs.ModeSymlink != 0:
			links = append(links, name)
		default:
			names = append(names, name)
		}
		return nil
	})
	if err != nil || len(links) == 0 {
		return names, err
	}
	return append(names, unlisted(files, links, names)...), nil
}

// unlisted returns the links that lead to no file of a list.
func unlisted(files fs.FS, links, names []string) []string {
	var listed []fs.FileInfo
	for _, name := range names {
		if info, err := fs.Stat(files, name); err == nil {
			listed = append(listed, info)
		}
	}
	return slices.DeleteFunc(links, func(link string) bool {
		info, err := fs.Stat(files, link)
		return err == nil && slices.ContainsFunc(listed, func(other fs.FileInfo) bool { return os.SameFile(info, other) })
	})
}

// parse reads one file. Its error is that of the context, for which nothing waits; what
// is wrong with the file is in the report.
func (run *importRun) parse(ctx context.Context, name string) ([]Imported, *FileReport, error) {
	report := &FileReport{}
	if err := ctx.Err(); err != nil {
		return nil, report, err
	}
	data, err := readBounded(run.files, name, MaxFile)
	if err != nil {
		report.Problems = []*Problem{{What: "it cannot be read: " + cause(err), Right: "make it readable, and smaller than " + MaxFileText}}
		return nil, report, nil
	}
	modified := run.Store.Now()
	if info, err := fs.Stat(run.files, name); err == nil && !info.ModTime().IsZero() {
		modified = info.ModTime()
	}
	var found []Imported
	done := make(chan struct{})
	go func() {
		defer close(done)
		found, report.Problems = importSafely(File{Name: name, Data: data, Modified: modified}, run.matcher.options)
	}()
	select {
	case <-done:
		return found, report, nil
	case <-ctx.Done():
		return nil, &FileReport{}, ctx.Err()
	}
}

// importSafely makes a problem of what would end the program: one file must not keep
// the others out.
func importSafely(file File, options Options) (found []Imported, problems []*Problem) {
	defer func() {
		if wrong := recover(); wrong != nil {
			slog.Error("the import of a file failed", "file", file.Name, "panic", wrong, "stack", string(debug.Stack()))
			found, problems = nil, []*Problem{{File: file.Name, What: fmt.Sprintf("it cannot be read: %v", wrong), Right: "please report it, with the file"}}
		}
	}()
	return Import(file, options)
}

func (im *Importer) put(ctx context.Context, one Imported, report *FileReport) error {
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
func (im *Importer) options(folder string) (Options, error) {
	options, source := im.SiteOptions(), im.source(folder)
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

func (im *Importer) SiteOptions() Options {
	zone, err := schedule.LoadZone(im.Config.Site.Timezone)
	if err != nil {
		zone = time.UTC
	}
	return Options{Site: im.Config.Site.URL, DateFromFile: im.DateFromFile, Zone: zone}
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
		return nil, fmt.Errorf("it is %s, and no regular file", fileKind(info.Mode()))
	}
	if info.Size() > most {
		return nil, fmt.Errorf("%s has %d MB", name, info.Size()>>20)
	}
	file, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// It may have become another file since, or have grown.
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%s is no regular file", name))
	}
	return io.ReadAll(io.LimitReader(file, most+1))
}

// fileKind names what a file is.
func fileKind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe (FIFO)"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}

// folderFS is a folder whose files are opened without waiting: to open a pipe would
// wait for somebody who writes into it.
type folderFS struct{ root *os.Root }

// Open implements fs.FS.
func (f folderFS) Open(name string) (fs.File, error) {
	return f.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// Stat implements fs.StatFS. It opens nothing.
func (f folderFS) Stat(name string) (fs.FileInfo, error) {
	return f.root.Stat(filepath.FromSlash(name))
}

// cause says what happened, without the system call's name.
func cause(err error) string {
	var wrong *fs.PathError
	if errors.As(err, &wrong) {
		return wrong.Err.Error()
	}
	return err.Error()
}
