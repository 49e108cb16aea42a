package ingest

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
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
)

// Importer imports files and folders into the store.
type Importer struct {
	Store  *store.Store
	Config *config.Config
	// BaseURL takes precedence over the one of a configured source. Strip is added to its
	// patterns.
	BaseURL      string
	Strip        []string
	DateFromFile bool
	// Report is called for each file after its articles were stored. It may be nil.
	Report func(FileReport)
	// Progress is called while files are parsed, which takes most of the time. It may be nil.
	Progress func(done, of int)

	memory int64 // limit of the spool; 0 for spoolMemory
}

// Import imports a file or a folder. It returns an error only for the path as a whole or the
// store. Problems with single files are counted and passed to Report, and the other files are
// imported.
func (im *Importer) Import(ctx context.Context, target string) (Summary, error) {
	info, err := os.Stat(target)
	if errors.Is(err, os.ErrNotExist) {
		return Summary{}, fmt.Errorf("%s does not exist; name a file or folder with articles", target)
	}
	if err != nil {
		return Summary{}, err
	}
	if info.IsDir() {
		return im.importFolder(ctx, target, nil, nil)
	}
	if resolved, err := filepath.EvalSymlinks(target); err == nil {
		target = resolved // a link to a file stands for the file
	}
	folder, name := filepath.Dir(target), filepath.Base(target)
	if strings.HasPrefix(name, "index.") { // its slug is the name of its folder, so the folder above is imported from
		absolute, err := filepath.Abs(folder)
		if err != nil {
			return Summary{}, err
		}
		folder, name = filepath.Dir(absolute), filepath.Base(absolute)+"/"+name
	}
	return im.importFolder(ctx, folder, []string{name}, nil)
}

// importFolder imports the named files below a folder, or all of it when names is nil.
// vanished holds the names of files that a watch saw disappear.
func (im *Importer) importFolder(ctx context.Context, folder string, names []string, vanished map[string]bool) (Summary, error) {
	absolute, err := filepath.Abs(folder)
	if err != nil {
		return Summary{}, err
	}
	resolved, err := filepath.EvalSymlinks(absolute) // a link to a folder stands for the folder
	if err != nil {
		return Summary{}, err
	}
	root, err := os.OpenRoot(resolved) // so that no file outside the folder is read
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
	files := folderFS{root}
	named := names != nil && vanished == nil // the path of one file was given
	if names == nil {
		if names, err = importable(files); err != nil {
			return Summary{}, err
		}
	}
	options.settings = newSettings(files, filepath.FromSlash(options.Folder))
	if !named {
		names = options.settings.articles(names)
	}
	return im.run(ctx, files, filepath.ToSlash(folder), names, vanished, options)
}

// ImportFS imports all files of a file system. label stands before their names in reports.
func (im *Importer) ImportFS(ctx context.Context, files fs.FS, label string, options Options) (Summary, error) {
	names, err := importable(files)
	if err != nil {
		return Summary{}, err
	}
	return im.run(ctx, files, label, names, nil, options)
}

// run imports the named files in four steps: parse each file once and put the result in the
// spool; sort the files by date, because feeds list articles in the order in which they were
// stored; match each article with the stored ones, so that renamed and moved files are
// recognised; store the articles.
func (im *Importer) run(ctx context.Context, files fs.FS, label string, names []string, vanished map[string]bool, options Options) (Summary, error) {
	if options.settings == nil {
		options.settings = newSettings(files, filepath.FromSlash(options.Folder))
	}
	run := run{Importer: im, files: files, parseOptions: options, matcher: newMatcher(im.Store, files, options), label: label, spool: spool{limit: cmp.Or(im.memory, spoolMemory)}}
	run.matcher.vanished = vanished
	defer run.spool.close()
	for i, name := range names {
		if err := run.parse(ctx, name); err != nil {
			return run.sum, err
		}
		if im.Progress != nil {
			im.Progress(i+1, len(names))
		}
	}
	slices.SortStableFunc(run.parsed, byDate)
	for _, step := range []func(context.Context) error{run.match, run.matcher.assign, run.storeAll} {
		if err := step(ctx); err != nil {
			return run.sum, err
		}
	}
	return run.sum, nil
}

// run holds the state of one import.
type run struct {
	*Importer
	files        fs.FS
	parseOptions Options
	matcher      *matcher
	label        string // prefix of the files' names in reports
	spool        spool
	parsed       []*parsedFile
	sum          Summary
}

// parsedFile is a file that was parsed. Its articles are in the spool.
type parsedFile struct {
	name      string
	index     int // index in the spool
	published time.Time
	report    FileReport
	matches   []match // one per article
}

// byDate orders files by the date of their first article. Files without a date come last.
func byDate(a, b *parsedFile) int {
	switch {
	case a.published.IsZero() == b.published.IsZero():
		return a.published.Compare(b.published)
	case a.published.IsZero():
		return 1
	}
	return -1
}

// parse parses a file and puts its articles in the spool. Problems with the file go into its
// report. When the context ends, parse returns without waiting for a slow file.
func (r *run) parse(ctx context.Context, name string) error {
	var found []Imported
	var problems []*Problem
	media := mediaReader{files: r.files}
	done := make(chan struct{})
	go func() {
		defer close(done)
		found, problems = parseFile(r.files, name, r.Store.Now(), r.parseOptions, &media)
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-done:
	}
	f := &parsedFile{name: name, report: FileReport{Problems: problems}, matches: make([]match, len(found))}
	r.matcher.read[name], r.matcher.broken[name] = true, len(problems) > 0
	if i := slices.IndexFunc(found, func(one Imported) bool { return one.Article != nil }); i >= 0 {
		f.published = found[i].Article.Published
	}
	r.parsed = append(r.parsed, f)
	var err error
	f.index, err = r.spool.add(found, &media)
	return err
}

// match matches the articles of all files with the stored ones.
func (r *run) match(ctx context.Context) error {
	for _, f := range r.parsed {
		found, err := r.spool.articles(f.index)
		if err != nil {
			return err
		}
		for i, one := range found {
			if one.Article == nil {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := r.matcher.match(ctx, one.Article, &f.matches[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// storeAll stores the articles and redirects of all files, and reports each file.
func (r *run) storeAll(ctx context.Context) error {
	for i, f := range r.parsed {
		if err := ctx.Err(); err != nil {
			return err
		}
		found, problems, err := r.spool.load(f.index, r.files)
		if err != nil {
			return err
		}
		f.report.Problems = append(f.report.Problems, problems...)
		for i := range found {
			if err := r.store(ctx, &found[i], &f.matches[i], &f.report); err != nil {
				return err
			}
		}
		r.parsed[i] = nil // frees its matches
		f.report.name(path.Join(r.label, f.name))
		r.sum.add(f.report)
		if r.Report != nil {
			r.Report(f.report)
		}
	}
	return nil
}

// store stores an article under the id of its match, or redirects.
func (r *run) store(ctx context.Context, one *Imported, m *match, report *FileReport) error {
	report.Warnings = append(report.Warnings, one.Warnings...)
	report.Redirects += len(one.Redirects)
	if one.Article == nil {
		return r.Store.PutRedirects(ctx, one.Redirects)
	}
	if m.id == "" && m.previous != nil { // the article that had this source is in another file now
		if err := r.Store.ReleaseSource(ctx, one.Article.Source); err != nil {
			return err
		}
	}
	one.Article.ID = m.id
	change, err := r.Store.PutArticle(ctx, one.Article, one.Redirects, one.Media)
	if err != nil {
		return fmt.Errorf("%s: %w", one.Article.Source, err)
	}
	status := one.Article.StatusAt(r.Store.Now())
	if change.Removed {
		status = article.Withdrawn
	}
	report.Articles = append(report.Articles, ArticleReport{ID: change.ID, Slug: change.Slug, Title: one.Article.Title, Outcome: change.Outcome, Status: status})
	return nil
}

// options returns the options for a folder: the settings of the configured source that
// holds it, overridden by the importer's own.
func (im *Importer) options(folder string) (Options, error) {
	zone, err := schedule.LoadZone(im.Config.Site.Timezone)
	if err != nil {
		zone = time.UTC
	}
	source := im.source(folder)
	options := Options{
		Site: im.Config.Site.URL, DateFromFile: im.DateFromFile, Zone: zone,
		BaseURL: cmp.Or(im.BaseURL, source.BaseURL), Language: source.Language, Author: source.Author, Tags: source.Tags,
	}
	for _, pattern := range slices.Concat(im.Config.Import.Strip, source.Strip, im.Strip) {
		compiled, err := regexp.Compile(pattern)
		if err != nil {
			return options, fmt.Errorf("strip pattern %q: %w; write a regular expression in Go's syntax (RE2)", pattern, err)
		}
		options.Strip = append(options.Strip, compiled)
	}
	return options, nil
}

// source returns the configured source that a folder belongs to. Of several the deepest counts.
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
