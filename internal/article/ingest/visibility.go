package ingest

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
)

// A visibility key is a front matter key that decides whether and when an article is published.
// Every generator of static sites has its own keys; docs/articles.md lists them. A file is
// refused if the value of a visibility key is not understood, or if an unknown key looks like a
// visibility key: what is not understood is never published.

// valueKind is how the value of a visibility key is read.
type valueKind int

const (
	keyIgnored     valueKind = iota // looks like a visibility key but is not one
	keyShows                        // true publishes, false withholds; a date is the date of publication
	keyHides                        // true withholds, false publishes
	keyWord                         // a word such as draft, private or published
	keyFrom                         // a date: not published before it
	keyEmbargo                      // a date: not published before it; or true: withheld
	keyUntil                        // a date: withdrawn after it
	keyUntilOrTrue                  // a date: withdrawn after it; or true: withdrawn
	keyBuild                        // a mapping with render and list (Hugo)
	keyRender                       // never, always, link
	keyList                         // never, always, local
	keyPassword                     // any value withholds
	keyAddress                      // false withholds; every other value is a URL
	keyFeed                         // false or never: unlisted; other values have another meaning
)

// visibilityKey describes how a key is read.
type visibilityKey struct {
	kind    valueKind
	status  article.Status
	lenient bool // a value that is not understood means something else than whether readers see it
}

// visibilityKeys holds the known keys, in the form of normalKey.
var visibilityKeys = visibilityKeysOf(map[visibilityKey]string{
	{kind: keyShows, status: article.Draft}:                   "published publish ispublished dgpublish webpublished",
	{kind: keyShows, status: article.Draft, lenient: true}:    "public ispublic live islive routable enabled",
	{kind: keyShows, status: article.Unlisted, lenient: true}: "listed visible discoverable",
	{kind: keyHides, status: article.Draft}:                   "draft isdraft saveasdraft private isprivate unpublished headless ignorepost membersonly subscribersonly emailonly",
	{kind: keyHides, status: article.Draft, lenient: true}:    "wip encrypt encrypted protected passwordprotected premium paywall paid",
	{kind: keyHides, status: article.Unlisted}:                "hidden ishidden unlisted isunlisted eleventyexcludefromcollections hiddenfromhomepage hiddeninhomelist hiddenfromrss hiddeninrss hiddenfromfeed excludefromfeed excludefromrss",
	{kind: keyWord, status: article.Draft}:                    "status poststatus publishstatus publicationstatus publishedstatus visibility postvisibility",
	{kind: keyWord, status: article.Draft, lenient: true}:     "state stage workflow workflowstate access audience",
	{kind: keyFrom, status: article.Draft}:                    "publishdate publisheddate publishedat publishedon publishat publishon publishtime publishedtime publishfrom pubdate datepublished dateofpublication publicationdate publishdatetime",
	{kind: keyFrom, status: article.Draft, lenient: true}:     "schedule scheduled scheduledat scheduledfor releasedate golivedate",
	{kind: keyEmbargo, status: article.Draft}:                 "embargo embargoed embargountil embargodate underembargo",
	{kind: keyUntil, status: article.Withdrawn}:               "expirydate expires expiresat expireson expiredate expirationdate expiration expireat expiryat unpublishdate unpublishat unpublishon archivedate hideafter validuntil",
	{kind: keyUntilOrTrue, status: article.Withdrawn}:         "expire expired isexpired expiry unpublish archived isarchived archivedat deleted isdeleted deletedat trashed withdrawn retracted",
	{kind: keyBuild, status: article.Draft}:                   "build",
	{kind: keyRender, status: article.Draft}:                  "buildrender",
	{kind: keyRender, status: article.Draft, lenient: true}:   "render",
	{kind: keyList, status: article.Unlisted}:                 "buildlist",
	{kind: keyPassword, status: article.Draft}:                "password postpassword",
	{kind: keyAddress, status: article.Draft}:                 "permalink",
	{kind: keyFeed, status: article.Unlisted}:                 "feed rss",
	{kind: keyIgnored}: "publishing publishedin publishedby publishresources buildpublishresources lastpublished lastpublishedat republished republishedat firstpublished " +
		"originallypublished originalpublishdate sendemailwhenpublished hiddenfromsearch excludefromsearch",
})

// aboutPublisher matches keys about where else a piece was published, such as publisher or
// publication_types. They are not visibility keys.
var aboutPublisher = regexp.MustCompile(`^(publisher|publication)`)

func visibilityKeysOf(table map[visibilityKey]string) map[string]visibilityKey {
	out := map[string]visibilityKey{}
	for key, names := range table {
		for _, name := range strings.Fields(names) {
			out[name] = key
		}
	}
	return out
}

// looksLikeVisibility matches unknown keys, in the form of normalKey, that may withhold an article.
var looksLikeVisibility = regexp.MustCompile(`draft|publish|private|hidden|unlisted|visib|embargo|expir|withdrawn`)

// containerKeys holds the keys of mappings in which generators keep custom keys of the author.
var containerKeys = map[string]bool{
	"params": true, "extra": true, "custom": true, "data": true, "meta": true, "metadata": true, "attributes": true, "properties": true,
	"frontmatter": true, "header": true, "page": true, "post": true, "eleventycomputed": true,
}

// normalKey returns a key in the form in which keys are compared: letters and digits only, in
// lower case.
func normalKey(key string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(key))
}

// statusWords maps the words for a status, in the form of normalKey, to the status. An article
// that is Scheduled also needs a date.
var statusWords = statusWordsOf(map[article.Status]string{
	article.Published: "published publish public live active visible listed everyone all featured posted released",
	article.Scheduled: "scheduled future timed embargoed",
	article.Unlisted:  "unlisted hidden link linkonly unsearchable",
	article.Draft: "draft drafts autodraft private pending pendingreview review inreview underreview needsreview unpublished internal secret personal wip inprogress todo idea ideas new " +
		"onhold hold skip rejected members member membersonly subscribers subscribersonly paid onlypaid onlyfree founding premium tiers password passwordprotected protected " +
		"followers friends restricted sent inherit confidential incomplete writing editing notready",
	article.Withdrawn: "trash trashed deleted removed archived archive expired withdrawn retracted cancelled canceled spam obsolete",
})

func statusWordsOf(table map[article.Status]string) map[string]article.Status {
	out := map[string]article.Status{}
	for status, words := range table {
		for _, word := range strings.Fields(words) {
			out[word] = status
		}
	}
	return out
}

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

const (
	fixBool  = "write true or false, or remove the line to publish"
	fixDate  = "write a date such as 2026-11-23 or 2026-11-23T08:00:00+01:00"
	fixWord  = "write published, draft, scheduled, unlisted or withdrawn"
	fixBuild = "write render: and list: with always or never"
)

// readValue applies the value of a visibility key. If it does not understand the value, it
// returns how to fix it.
func (im *importer) readValue(v *visibility, k visibilityKey, value any) (fix string) {
	switch k.kind {
	case keyShows:
		return im.readShows(v, k, value)
	case keyHides:
		return readBool(v, k.status, value, true)
	case keyWord:
		return readWord(v, value)
	case keyFrom, keyUntil, keyEmbargo, keyUntilOrTrue:
		return im.readDateKey(v, k, value)
	case keyBuild:
		return readBuild(v, value)
	case keyRender, keyList:
		return readRenderOrList(v, k.kind, value)
	case keyPassword:
		if on, ok := parseBool(value); value != nil && value != "" && (!ok || on) {
			v.restrict(k.status)
		}
	case keyAddress:
		if on, ok := value.(bool); ok && !on || isWord(value, "false") {
			v.restrict(k.status)
		}
	case keyFeed:
		if on, ok := parseBool(value); ok && !on || isWord(value, "never") || isWord(value, "exclude") {
			v.restrict(k.status)
		}
	}
	return ""
}

// readShows reads published and similar keys, which hold true, false or a date.
func (im *importer) readShows(v *visibility, k visibilityKey, value any) string {
	if fix := readBool(v, k.status, value, false); fix == "" {
		return ""
	}
	if value == nil || value == "" {
		return fixBool
	}
	if im.applyDate(v, keyFrom, value) != "" {
		return fixBool + ", or a date"
	}
	return ""
}

// readBool applies the value of a key that is true or false. holds is the value that withholds.
func readBool(v *visibility, as article.Status, value any, holds bool) string {
	on, ok := parseBool(value)
	if !ok {
		return fixBool
	}
	if on == holds {
		v.restrict(as)
	}
	return ""
}

// readDateKey reads a key whose value is a date. The value may be empty, since templates of new
// articles contain dates that are not filled in.
func (im *importer) readDateKey(v *visibility, k visibilityKey, value any) string {
	until := k.kind == keyUntil || k.kind == keyUntilOrTrue
	on, isTruth := parseBool(value)
	switch {
	case value == nil, value == "":
	case until && (isWord(value, "never") || isWord(value, "none")):
	case isTruth && !on && k.kind != keyFrom:
	case isTruth && on && (k.kind == keyEmbargo || k.kind == keyUntilOrTrue):
		v.restrict(k.status)
	default:
		return im.applyDate(v, k.kind, value)
	}
	return ""
}

// applyDate applies a date. Of several dates the latest start and the earliest end count.
func (im *importer) applyDate(v *visibility, kind valueKind, value any) string {
	when, err := parseDate(value, im.options.Zone)
	if err != nil {
		return fixDate
	}
	switch kind {
	case keyFrom, keyEmbargo:
		if when.After(v.from) {
			v.from = when
		}
	default:
		if v.until.IsZero() || when.Before(v.until) {
			v.until = when
		}
	}
	return ""
}

// readWord reads a status or visibility. Of several words the strictest counts.
func readWord(v *visibility, value any) string {
	all := list(value)
	if len(all) == 0 {
		return fixWord
	}
	for _, one := range all {
		text, _ := one.(string)
		status, known := statusWords[normalKey(text)]
		if on, ok := parseBool(one); ok && !known {
			if status, known = article.Draft, true; on {
				status = article.Published
			}
		}
		switch {
		case !known:
			return fixWord
		case status == article.Scheduled:
			v.scheduled = true
		default:
			v.restrict(status)
		}
	}
	return ""
}

// readBuild reads Hugo's build options.
func readBuild(v *visibility, value any) string {
	fields, ok := value.(map[string]any)
	if !ok {
		return fixBuild
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		kind := map[string]valueKind{"render": keyRender, "list": keyList, "publishresources": keyIgnored}
		k, known := kind[normalKey(key)]
		if !known {
			return fixBuild
		}
		if k == keyIgnored {
			continue
		}
		if fix := readRenderOrList(v, k, fields[key]); fix != "" {
			return fix
		}
	}
	return ""
}

// readRenderOrList reads build.render or build.list. A page that is not rendered is a draft
// here, and a page that is not listed is unlisted.
func readRenderOrList(v *visibility, kind valueKind, value any) string {
	as := article.Unlisted
	if kind == keyRender {
		as = article.Draft
	}
	on, isTruth := parseBool(value)
	switch {
	case isWord(value, "always"), isTruth && on:
	case isWord(value, "never"), isWord(value, "local"), isWord(value, "link"), isTruth:
		v.restrict(as)
	default:
		return fixBuild
	}
	return ""
}

func isWord(value any, word string) bool {
	text, ok := value.(string)
	return ok && strings.EqualFold(strings.TrimSpace(text), word)
}

// parseBool reads true or false in the forms of YAML, TOML, JSON and what people write. ok is
// false for other values.
func parseBool(value any) (yes, ok bool) {
	switch v := value.(type) {
	case bool:
		return v, true
	case json.Number:
		value = v.String()
	case int64:
		value = fmt.Sprint(v)
	}
	text, _ := value.(string)
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "yes", "on", "1", "y", "t":
		return true, true
	case "false", "no", "off", "0", "n", "f":
		return false, true
	}
	return false, false
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
