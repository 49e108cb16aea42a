package ingest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
)

// matchStrength is why a file is taken for the new place of a stored article, the strongest
// first. docs/decisions/article-identity.md gives the reasons.
type matchStrength int

const (
	byID           matchStrength = 1 + iota // both give the same id
	byName                                  // both give the same slug
	byText                                  // the same words
	byTitleAndDate                          // the same title on the same date
	bySlugAndDate                           // the same file name or folder, on the same date
	bySimilarity                            // at least half of the text, and the title, slug or date
	noEvidence
)

// similarEnough is how much of a text two versions of an article share.
const similarEnough = 0.5

// evidenceFor compares a file's article with a stored one.
func evidenceFor(a *article.Article, t *store.ArticleIdentity) matchStrength {
	title, slug, date := a.Title == t.Title, a.Slug == t.Slug, a.Published.Equal(t.Published)
	switch {
	case a.GUID != "" && a.GUID == t.GUID:
		return byID
	case a.GUID != "" && t.GUID != "": // two ids are two articles
		return noEvidence
	case a.Named && t.Named && slug:
		return byName
	case a.Content != "" && a.Content == t.Content:
		return byText
	case title && date:
		return byTitleAndDate
	case slug && date:
		return bySlugAndDate
	case title || slug || date:
		return bySimilarity
	}
	return noEvidence
}

// arrival is an article whose file is in a place that the store does not know, or
// that has another article's text by now.
type arrival struct {
	report    *FileReport
	name      string
	index     int             // among the articles of its file
	facts     article.Article // without its text
	sketch    article.Sketch
	here      *store.ArticleIdentity // the article that was at its place before
	knownFrom []store.ArticleIdentity
	id        string // of the article that it is recognised as; empty for a new one
}

// matcher finds out which stored articles the files of one import are.
type matcher struct {
	im       *Importer
	files    fs.FS
	options  Options
	claimed  map[string]bool // ids of the articles that have their file
	produced map[string]bool // sources that a file of this import gave an article for
	read     map[string]bool // names of the files that were read
	broken   map[string]bool // those that could not be
	arrivals []*arrival
	vanished map[string]bool // names that were seen to go, for a watched folder
}

func newMatcher(im *Importer, files fs.FS, options Options) *matcher {
	return &matcher{im: im, files: files, options: options, claimed: map[string]bool{}, produced: map[string]bool{}, read: map[string]bool{}, broken: map[string]bool{}}
}

// recognise says whether an article can be put at once: it is new, or it is where it
// was. Otherwise it waits until all files of the import are known.
func (r *matcher) recognise(ctx context.Context, a *article.Article, name string) (arrived *arrival, err error) {
	r.produced[a.Source] = true
	here, err := r.at(ctx, a.Source)
	if err != nil {
		return nil, err
	}
	if here != nil && r.agrees(ctx, a, here) {
		a.ID, r.claimed[here.ID] = here.ID, true
		return nil, nil
	}
	traces, err := r.im.Store.SimilarIdentities(ctx, a)
	if err != nil {
		return nil, err
	}
	wait := false
	var known []store.ArticleIdentity
	for i := range traces {
		t := &traces[i]
		r.complete(ctx, a, t)
		e := evidenceFor(a, t)
		switch {
		case e == noEvidence || here != nil && t.ID == here.ID || r.claimed[t.ID]:
			continue
		case here == nil && e < bySlugAndDate && strings.HasSuffix(t.Source, "/"+sourceName(a.Source, r.options)) && r.gone(t.Source):
			a.ID, r.claimed[t.ID] = t.ID, true // its folder has moved
			return nil, nil
		}
		wait = wait || e < bySimilarity || r.gone(t.Source)
		known = append(known, *t)
	}
	if here == nil && !wait && len(r.vanished) == 0 {
		return nil, nil
	}
	facts := *a
	facts.HTML, facts.Summary = "", ""
	return &arrival{name: name, facts: facts, sketch: a.Sketch(), here: here, knownFrom: known}, nil
}

// sourceName is a source below the imported folder.
func sourceName(source string, options Options) string {
	return strings.TrimPrefix(source, options.Source)
}

// at returns the article that came from a source. A store of before knows the path by
// which the folder was named, with its symbolic links.
func (r *matcher) at(ctx context.Context, source string) (*store.ArticleIdentity, error) {
	sources := []string{source}
	if r.options.Alias != "" {
		sources = append(sources, r.options.Alias+sourceName(source, r.options))
	}
	found, err := r.im.Store.IdentitiesFrom(ctx, sources...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	for i := range found {
		if found[i].Source == source {
			return &found[i], nil
		}
	}
	return &found[0], nil
}

// agrees reports whether a file still has the article that was at its place.
func (r *matcher) agrees(ctx context.Context, a *article.Article, here *store.ArticleIdentity) bool {
	if _, row := rowOf(a.Source); row { // it is known by its id there
		return true
	}
	r.complete(ctx, a, here)
	return evidenceFor(a, here) < bySlugAndDate
}

// complete works out the fingerprint of an article that was imported before there were
// any.
func (r *matcher) complete(ctx context.Context, a *article.Article, t *store.ArticleIdentity) {
	if t.Content != "" || a.Content == "" {
		return
	}
	if old, err := r.im.Store.Article(ctx, t.ID); err == nil {
		t.Content = old.Fingerprint()
	}
}

// rowOf splits the source of an article in a file of several.
func rowOf(source string) (file string, isRow bool) {
	file, _, found := strings.Cut(source, "#")
	if ext := strings.ToLower(path.Ext(file)); found && (ext == ".jsonl" || ext == ".ndjson") {
		return file, true
	}
	return source, false
}

// gone reports whether there is no file at a source any more.
func (r *matcher) gone(source string) bool {
	file, _ := rowOf(source)
	if name, ours := strings.CutPrefix(file, r.options.Source); ours {
		_, err := fs.Stat(r.files, name)
		return missing(err)
	}
	if !filepath.IsAbs(filepath.FromSlash(file)) {
		return strings.HasPrefix(source, "moved:")
	}
	_, err := os.Lstat(filepath.FromSlash(file))
	return missing(err)
}

// missing reports whether an error says that there is no such file. One that cannot be
// looked at may well be there.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// free reports whether the file of a stored article is gone, or has another article by
// now, so that an arrival can be the same article.
func (r *matcher) free(arrived *arrival, t *store.ArticleIdentity) bool {
	if r.claimed[t.ID] {
		return false
	}
	file, _ := rowOf(t.Source)
	if name, ours := strings.CutPrefix(file, r.options.Source); ours && (r.read[name] || r.broken[name]) {
		if r.broken[name] {
			return false
		}
		return !r.produced[t.Source] || r.waits(t.ID)
	}
	if r.gone(t.Source) {
		return true
	}
	if strings.HasPrefix(t.Source, r.options.Source) { // a copy within its folder is another article
		return !r.holds(t)
	}
	// A folder that was copied to another place, such as a fresh checkout, is the same
	// folder.
	if !strings.HasSuffix(t.Source, "/"+sourceName(arrived.facts.Source, r.options)) {
		return false
	}
	return r.copied(arrived, t)
}

// holds reports whether the file at an article's place still has it. The file is not
// part of this import.
func (r *matcher) holds(t *store.ArticleIdentity) bool {
	file, _ := rowOf(t.Source)
	name := strings.TrimPrefix(file, r.options.Source)
	data, err := readBounded(r.files, name, MaxFile)
	if err != nil {
		return true
	}
	options := r.options
	options.Media = nil
	found, problems := importSafely(File{Name: name, Data: data, Modified: r.im.Store.Now()}, options)
	for _, one := range found {
		if one.Article != nil && one.Article.Source == t.Source {
			return evidenceFor(one.Article, t) < bySlugAndDate
		}
	}
	return len(problems) > 0
}

// waits reports whether the file of an article has other words by now.
func (r *matcher) waits(id string) bool {
	for _, other := range r.arrivals {
		if other.here != nil && other.here.ID == id {
			return true
		}
	}
	return false
}

// copied reports whether two files of the same name in two folders are one article.
// Those of different languages, or with different texts, are two.
func (r *matcher) copied(arrived *arrival, t *store.ArticleIdentity) bool {
	a := &arrived.facts
	switch e := evidenceFor(a, t); {
	case a.Language != t.Language:
		return false
	case e == byID || e == byText:
		return true
	case a.Title != t.Title || !a.Published.Equal(t.Published):
		return false
	}
	return r.similarity(arrived, t) >= similarEnough
}

func (r *matcher) similarity(arrived *arrival, t *store.ArticleIdentity) float64 {
	old, err := r.im.Store.Article(context.Background(), t.ID)
	if err != nil {
		return 0
	}
	return arrived.sketch.Similar(old.Sketch())
}

// assign gives each arrival the article that it is, the clearest ones first.
func (r *matcher) assign(ctx context.Context) error {
	for e := byID; e < bySimilarity; e++ {
		for _, arrived := range r.arrivals {
			r.claim(arrived, func(t *store.ArticleIdentity) bool { return evidenceFor(&arrived.facts, t) == e && r.free(arrived, t) })
		}
	}
	for _, arrived := range r.arrivals {
		r.claim(arrived, func(t *store.ArticleIdentity) bool {
			return r.free(arrived, t) && r.similarity(arrived, t) >= similarEnough
		})
	}
	for _, arrived := range r.arrivals {
		if arrived.id == "" && arrived.here != nil && !r.claimed[arrived.here.ID] {
			arrived.id, r.claimed[arrived.here.ID] = arrived.here.ID, true
		}
	}
	return r.assignVanished(ctx)
}

func (r *matcher) claim(arrived *arrival, fits func(t *store.ArticleIdentity) bool) {
	for i := range arrived.knownFrom {
		if t := &arrived.knownFrom[i]; arrived.id == "" && fits(t) {
			arrived.id, r.claimed[t.ID] = t.ID, true
		}
	}
}

// assignVanished recognises a file that was renamed and edited in one go: one file of a
// watched folder went, one came, and something of the article is the same.
func (r *matcher) assignVanished(ctx context.Context) error {
	var open []*arrival
	for _, arrived := range r.arrivals {
		if arrived.id == "" {
			open = append(open, arrived)
		}
	}
	if len(open) != 1 || len(r.vanished) == 0 {
		return nil
	}
	var sources []string
	for name := range r.vanished {
		sources = append(sources, r.options.Source+name)
	}
	traces, err := r.im.Store.IdentitiesFrom(ctx, sources...)
	if err != nil {
		return err
	}
	var left []store.ArticleIdentity
	for _, t := range traces {
		if !r.claimed[t.ID] && r.gone(t.Source) {
			left = append(left, t)
		}
	}
	const somewhat = 0.2
	if len(left) == 1 && (evidenceFor(&open[0].facts, &left[0]) < noEvidence || r.similarity(open[0], &left[0]) >= somewhat) {
		open[0].id, r.claimed[left[0].ID] = left[0].ID, true
	}
	return nil
}
