package ingest

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// A visibility key is a front matter key that decides whether and when an article is published.
// Every generator of static sites has its own keys; docs/articles.md lists them. A file is
// refused if the value of a visibility key is not understood, or if an unknown key looks like a
// visibility key: what is not understood is never published.

// visibility is the result of all visibility keys of a file.
type visibility struct {
	status    article.Status
	from      time.Time // not published before; zero for none
	until     time.Time // withdrawn after; zero for never
	scheduled bool      // a status word says that a date is given elsewhere
}

// restriction ranks the statuses. If several keys withhold an article, the strictest one counts.
var restriction = map[article.Status]int{article.Published: 0, article.Unlisted: 1, article.Draft: 2, article.Withdrawn: 3}

// restrict sets a status unless the present one is stricter.
func (v *visibility) restrict(as article.Status) {
	if restriction[as] > restriction[v.status] {
		v.status = as
	}
}

// visibility reads the visibility keys of a file, and those keys of the site's settings that the
// file does not set itself.
func (im *importer) visibility(m meta) (visibility, *Problem) {
	v := visibility{status: article.Published}
	own := map[string]bool{}
	for _, e := range m.entries {
		if problem := im.readEntry(&v, e, true); problem != nil {
			return v, problem
		}
		for _, inner := range flatten(e) {
			own[normalKey(inner.key)] = true
		}
	}
	if problem := im.readInherited(&v, own); problem != nil {
		return v, problem
	}
	if im.inDrafts(m) {
		v.restrict(article.Draft)
	}
	return v, nil
}

// readInherited reads the visibility keys that the site's settings give to the file. own holds
// the keys of the file itself.
func (im *importer) readInherited(v *visibility, own map[string]bool) *Problem {
	if im.options.settings == nil || im.severalArticles {
		return nil
	}
	for _, in := range im.options.settings.forFile(im.file.Name) {
		if in.withheld != "" {
			if !own["draft"] && !own["published"] {
				v.restrict(article.Draft)
				im.warn(0, "imported as a draft: "+in.withheld, in.fix)
			}
			continue
		}
		if own[normalKey(in.key)] {
			continue
		}
		if problem := im.readEntry(v, in.entry, true); problem != nil {
			problem.What, problem.Line = fmt.Sprintf("%s:%d: %s", in.file, in.line, problem.What), 1
			return problem
		}
	}
	return nil
}

// inDrafts reports whether a file lies in a folder of drafts: _drafts (Jekyll, Hexo), or drafts
// unless the file says that it is published.
func (im *importer) inDrafts(m meta) bool {
	below := strings.Split(strings.ToLower(path.Dir(im.file.Name)), "/")
	above := strings.Split(strings.ToLower(im.options.Folder), "/")
	if slices.Contains(slices.Concat(above, below), "_drafts") {
		return true
	}
	published, says := parseBool(m.values["published"])
	draft, saysDraft := parseBool(m.values["draft"])
	if says && published || saysDraft && !draft {
		return false
	}
	return slices.Contains(below, "drafts") || above[len(above)-1] == "drafts"
}

// readEntry reads an entry if it is a visibility key, or a mapping of custom keys that may
// contain some. top is false for the entries of such a mapping.
func (im *importer) readEntry(v *visibility, e entry, top bool) *Problem {
	name := normalKey(e.key)
	key, known := visibilityKeys[name]
	if fields, ok := e.value.(map[string]any); ok && top && !known && containerKeys[name] {
		for _, inner := range slices.Sorted(maps.Keys(fields)) {
			if problem := im.readEntry(v, entry{inner, fields[inner], e.line}, false); problem != nil {
				problem.What = e.key + ": " + problem.What
				return problem
			}
		}
		return nil
	}
	if !known {
		if !looksLikeVisibility.MatchString(name) || aboutPublisher.MatchString(name) {
			return nil
		}
		return &Problem{
			Line: e.line, What: fmt.Sprintf("the key %s may withhold the article, but it is not known", e.key),
			Fix: "write draft: true, status: unlisted, publishDate: or expiryDate: instead, or remove it to publish",
		}
	}
	fix := im.readValue(v, key, e.value)
	if fix == "" || key.lenient {
		return nil
	}
	what := fmt.Sprintf("%s: %s is not understood", e.key, quoteValue(e.value))
	if e.value == nil || e.value == "" {
		what = e.key + " has no value"
	}
	return &Problem{Line: e.line, What: what, Fix: fix}
}

// quoteValue returns a value for messages, shortened to one line.
func quoteValue(value any) string {
	if text, ok := value.(string); ok {
		return fmt.Sprintf("%q", cutText(article.CleanLine(text), 100))
	}
	return cutText(article.CleanLine(fmt.Sprint(value)), 100)
}

// publication sets the status and dates of an article from its visibility keys.
func publication(a *article.Article, m meta, v visibility) *Problem {
	a.Status, a.Expires = v.status, v.until
	// An article appears at its own date or at the date of a visibility key, whichever is later.
	// That becomes its date.
	if v.from.After(a.Published) {
		a.Published = v.from
	}
	if _, dated := m.date(); v.scheduled && !dated {
		return &Problem{Line: max(m.lines["status"], 1), What: "the article is scheduled, but no date says when it appears", Fix: "add publishDate: 2026-11-23T08:00:00+01:00"}
	}
	return nil
}

// dateKeys are the keys that may hold the date of an article, in order of precedence and in the
// form of normalKey.
var dateKeys = []string{
	"date", "published", "publishdate", "pubdate", "publisheddate", "publishedat", "datepublished", "publishedon", "publishat", "publicationdate", "publishtime", "publishedtime",
	"postdate", "created", "createdat", "datecreated", "createddate", "creationdate",
}

// date returns the entry that holds the date of the article, and whether there is one.
func (m meta) date() (entry, bool) {
	for _, name := range dateKeys {
		for _, e := range slices.Backward(m.entries) {
			if normalKey(e.key) != name || e.value == nil || e.value == "" {
				continue
			}
			if _, isTruth := parseBool(e.value); name != "published" || !isTruth {
				return e, true
			}
		}
	}
	return entry{}, false
}
