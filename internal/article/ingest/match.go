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

// similarity is the reason for which the article of a file is taken for a stored one, the
// strongest first. docs/decisions/article-identity.md explains the order.
type similarity int

const (
	sameID           similarity = 1 + iota // both give the same id
	sameName                               // both give the same slug
	sameText                               // the same words
	sameTitleAndDate                       // the same title on the same date
	sameSlugAndDate                        // the same file name or folder, on the same date
	similarText                            // at least half of the text, and the title, slug or date
	notSimilar
)

// minSharedText is the minimum share of text that two versions of an article have in common.
const minSharedText = 0.5

// compare compares a file's article with a stored one.
func compare(a *article.Article, t *store.ArticleIdentity) similarity {
	title, slug, date := a.Title == t.Title, a.Slug == t.Slug, a.Published.Equal(t.Published)
	switch {
	case a.GUID != "" && a.GUID == t.GUID:
		return sameID
	case a.GUID != "" && t.GUID != "": // different ids mean different articles
		return notSimilar
	case a.Named && t.Named && slug:
		return sameName
	case a.Content != "" && a.Content == t.Content:
		return sameText
	case title && date:
		return sameTitleAndDate
	case slug && date:
		return sameSlugAndDate
	case title || slug || date:
		return similarText
	}
	return notSimilar
}

// match is the result of matching the article of a file with the stored ones.
type match struct {
	id       string                 // id of the stored article; empty for a new one
	previous *store.ArticleIdentity // the stored article with the same source, if the file may hold another article now
}

// undecided is an article that cannot be matched before all files of the import were read: its
// source is new, or the stored article with its source is a different one.
type undecided struct {
	*match
	metadata   article.Article // without text and summary
	minHash    article.MinHash
	candidates []store.ArticleIdentity
}

// matcher matches the articles of one import with the stored ones.
type matcher struct {
	stored    *store.Store
	files     fs.FS
	options   Options
	claimed   map[string]bool // ids of stored articles that were matched
	produced  map[string]bool // sources of the articles in this import
	read      map[string]bool // names of files that were parsed
	broken    map[string]bool // names of files with problems
	vanished  map[string]bool // names of files that were removed while they were watched
	undecided []*undecided
}

func newMatcher(s *store.Store, files fs.FS, options Options) *matcher {
	return &matcher{stored: s, files: files, options: options, claimed: map[string]bool{}, produced: map[string]bool{}, read: map[string]bool{}, broken: map[string]bool{}}
}

// match sets the match of an article if it is still in the same file or certainly new. It adds
// other articles to undecided, for assign.
func (m *matcher) match(ctx context.Context, a *article.Article, found *match) error {
	m.produced[a.Source] = true
	here, err := m.bySource(ctx, a.Source)
	if err != nil {
		return err
	}
	if here != nil && m.stillSame(ctx, a, here) {
		found.id, m.claimed[here.ID] = here.ID, true
		return nil
	}
	similar, err := m.stored.SimilarIdentities(ctx, a)
	if err != nil {
		return err
	}
	wait := false
	var candidates []store.ArticleIdentity
	for i := range similar {
		t := &similar[i]
		m.complete(ctx, a, t)
		e := compare(a, t)
		switch {
		case e == notSimilar || here != nil && t.ID == here.ID || m.claimed[t.ID]:
			continue
		case here == nil && e < sameSlugAndDate && strings.HasSuffix(t.Source, "/"+sourceName(a.Source, m.options)) && m.fileGone(t.Source):
			found.id, m.claimed[t.ID] = t.ID, true // its folder was moved
			return nil
		}
		wait = wait || e < similarText || m.fileGone(t.Source)
		candidates = append(candidates, *t)
	}
	if here == nil && !wait && len(m.vanished) == 0 {
		return nil
	}
	facts := *a
	facts.HTML, facts.Summary = "", ""
	found.previous = here
	m.undecided = append(m.undecided, &undecided{match: found, metadata: facts, minHash: a.MinHash(), candidates: candidates})
	return nil
}

// sourceName returns a source's name below the imported folder.
func sourceName(source string, options Options) string {
	return strings.TrimPrefix(source, options.Source)
}

// bySource returns the stored article with a source, or nil. Earlier versions stored the source
// with the symbolic links in the path that was given.
func (m *matcher) bySource(ctx context.Context, source string) (*store.ArticleIdentity, error) {
	sources := []string{source}
	if m.options.Alias != "" {
		sources = append(sources, m.options.Alias+sourceName(source, m.options))
	}
	found, err := m.stored.IdentitiesFrom(ctx, sources...)
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

// stillSame reports whether an article is the stored article with the same source.
func (m *matcher) stillSame(ctx context.Context, a *article.Article, here *store.ArticleIdentity) bool {
	if _, row := rowOf(a.Source); row { // a row's source contains its id
		return true
	}
	m.complete(ctx, a, here)
	return compare(a, here) < sameSlugAndDate
}

// complete sets the fingerprint of a stored article if it was stored without one by an earlier
// version.
func (m *matcher) complete(ctx context.Context, a *article.Article, t *store.ArticleIdentity) {
	if t.Content != "" || a.Content == "" {
		return
	}
	if old, err := m.stored.Article(ctx, t.ID); err == nil {
		t.Content = old.Fingerprint()
	}
}

// rowOf returns the file of a source, and whether the source is a row of a file with several
// articles.
func rowOf(source string) (file string, isRow bool) {
	file, _, found := strings.Cut(source, "#")
	if ext := strings.ToLower(path.Ext(file)); found && (ext == ".jsonl" || ext == ".ndjson") {
		return file, true
	}
	return source, false
}

// fileGone reports whether the file of a source does not exist any more.
func (m *matcher) fileGone(source string) bool {
	file, _ := rowOf(source)
	if name, ours := strings.CutPrefix(file, m.options.Source); ours {
		_, err := fs.Stat(m.files, name)
		return missing(err)
	}
	if !filepath.IsAbs(filepath.FromSlash(file)) {
		return strings.HasPrefix(source, "moved:")
	}
	_, err := os.Lstat(filepath.FromSlash(file))
	return missing(err)
}

// missing reports whether an error means that a file does not exist. Other errors leave that
// open.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// available reports whether u may be the stored article t: its file is gone or holds another
// article now.
func (m *matcher) available(u *undecided, t *store.ArticleIdentity) bool {
	if m.claimed[t.ID] {
		return false
	}
	file, _ := rowOf(t.Source)
	if name, ours := strings.CutPrefix(file, m.options.Source); ours && (m.read[name] || m.broken[name]) {
		if m.broken[name] {
			return false
		}
		return !m.produced[t.Source] || m.displaced(t.ID)
	}
	if m.fileGone(t.Source) {
		return true
	}
	if strings.HasPrefix(t.Source, m.options.Source) { // a copy within the same folder is another article
		return !m.fileStillHolds(t)
	}
	// A copy of the whole folder, such as a fresh checkout, holds the same articles.
	if !strings.HasSuffix(t.Source, "/"+sourceName(u.metadata.Source, m.options)) {
		return false
	}
	return m.copied(u, t)
}

// fileStillHolds reports whether the file of a stored article still holds it. It reads the file,
// which is not part of this import.
func (m *matcher) fileStillHolds(t *store.ArticleIdentity) bool {
	file, _ := rowOf(t.Source)
	found, problems := parseFile(m.files, strings.TrimPrefix(file, m.options.Source), m.stored.Now(), m.options, nil)
	for _, one := range found {
		if one.Article != nil && one.Article.Source == t.Source {
			return compare(one.Article, t) < sameSlugAndDate
		}
	}
	return len(problems) > 0
}

// displaced reports whether an article of this import has taken the source of a stored article.
func (m *matcher) displaced(id string) bool {
	for _, other := range m.undecided {
		if other.previous != nil && other.previous.ID == id {
			return true
		}
	}
	return false
}

// copied reports whether two files with the same name in two folders are the same article. If
// their language or text differs, they are not.
func (m *matcher) copied(u *undecided, t *store.ArticleIdentity) bool {
	a := &u.metadata
	switch e := compare(a, t); {
	case a.Language != t.Language:
		return false
	case e == sameID || e == sameText:
		return true
	case a.Title != t.Title || !a.Published.Equal(t.Published):
		return false
	}
	return m.sharedText(u, t) >= minSharedText
}

// sharedText estimates the share of text that u and a stored article have in common, from 0 to
// 1.
func (m *matcher) sharedText(u *undecided, t *store.ArticleIdentity) float64 {
	old, err := m.stored.Article(context.Background(), t.ID)
	if err != nil {
		return 0
	}
	return u.minHash.Similar(old.MinHash())
}

// assign matches the undecided articles, in the order of similarity.
func (m *matcher) assign(ctx context.Context) error {
	for e := sameID; e < similarText; e++ {
		for _, u := range m.undecided {
			m.claim(u, func(t *store.ArticleIdentity) bool { return compare(&u.metadata, t) == e && m.available(u, t) })
		}
	}
	for _, u := range m.undecided {
		m.claim(u, func(t *store.ArticleIdentity) bool { return m.available(u, t) && m.sharedText(u, t) >= minSharedText })
	}
	for _, u := range m.undecided {
		if u.id == "" && u.previous != nil && !m.claimed[u.previous.ID] {
			u.id, m.claimed[u.previous.ID] = u.previous.ID, true
		}
	}
	return m.assignVanished(ctx)
}

// claim matches u with the first of its candidates that fits.
func (m *matcher) claim(u *undecided, fits func(t *store.ArticleIdentity) bool) {
	for i := range u.candidates {
		if t := &u.candidates[i]; u.id == "" && fits(t) {
			u.id, m.claimed[t.ID] = t.ID, true
		}
	}
}

// assignVanished matches a file that was renamed and edited at the same time in a watched folder:
// exactly one file disappeared, one article is unmatched, and they are similar.
func (m *matcher) assignVanished(ctx context.Context) error {
	var unmatched []*undecided
	for _, u := range m.undecided {
		if u.id == "" {
			unmatched = append(unmatched, u)
		}
	}
	if len(unmatched) != 1 || len(m.vanished) == 0 {
		return nil
	}
	var sources []string
	for name := range m.vanished {
		sources = append(sources, m.options.Source+name)
	}
	similar, err := m.stored.IdentitiesFrom(ctx, sources...)
	if err != nil {
		return err
	}
	var left []store.ArticleIdentity
	for _, t := range similar {
		if !m.claimed[t.ID] && m.fileGone(t.Source) {
			left = append(left, t)
		}
	}
	const minShared = 0.2
	u := unmatched[0]
	if len(left) == 1 && (compare(&u.metadata, &left[0]) < notSimilar || m.sharedText(u, &left[0]) >= minShared) {
		u.id, m.claimed[left[0].ID] = left[0].ID, true
	}
	return nil
}
