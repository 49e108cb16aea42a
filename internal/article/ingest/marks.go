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

// A mark is a key of front matter by which an author says whether and when an article
// is for readers. The generators of static sites all have their own; docs/articles.md
// lists them. A mark whose value is not understood refuses the file, and so does a key
// that looks like a mark but is not known: what is not understood is never published.

// markKind is how the value of a mark is read.
type markKind int

const (
	markIgnored  markKind = iota // looks like a mark and is none
	markShows                    // true publishes, false keeps back; a date is when
	markHides                    // true keeps back, false does not
	markWord                     // a word such as draft, private or published
	markFrom                     // a date: not before
	markEmbargo                  // a date: not before; or true: kept back
	markUntil                    // a date: not after
	markUntilOr                  // the same, or true: withdrawn
	markBuild                    // a mapping with render and list (Hugo)
	markRender                   // never, always, link
	markList                     // never, always, local
	markPassword                 // any value keeps back
	markAddress                  // false keeps back, every other value is an address
	markFeed                     // false or never keeps out of lists, other values mean something else
)

// mark is how one key is read, and which status it gives when it keeps back.
type mark struct {
	kind markKind
	as   article.Status
	soft bool // a value that is not understood means something else than whether readers see it
}

// marks are the known keys, in the form of markName.
var marks = marksOf(map[mark]string{
	{kind: markShows, as: article.Draft}:                "published publish ispublished dgpublish webpublished",
	{kind: markShows, as: article.Draft, soft: true}:    "public ispublic live islive routable enabled",
	{kind: markShows, as: article.Unlisted, soft: true}: "listed visible discoverable",
	{kind: markHides, as: article.Draft}:                "draft isdraft saveasdraft private isprivate unpublished headless ignorepost membersonly subscribersonly emailonly",
	{kind: markHides, as: article.Draft, soft: true}:    "wip encrypt encrypted protected passwordprotected premium paywall paid",
	{kind: markHides, as: article.Unlisted}:             "hidden ishidden unlisted isunlisted eleventyexcludefromcollections hiddenfromhomepage hiddeninhomelist hiddenfromrss hiddeninrss hiddenfromfeed excludefromfeed excludefromrss",
	{kind: markWord, as: article.Draft}:                 "status poststatus publishstatus publicationstatus publishedstatus visibility postvisibility",
	{kind: markWord, as: article.Draft, soft: true}:     "state stage workflow workflowstate access audience",
	{kind: markFrom, as: article.Draft}:                 "publishdate publisheddate publishedat publishedon publishat publishon publishtime publishedtime publishfrom pubdate datepublished dateofpublication publicationdate publishdatetime",
	{kind: markFrom, as: article.Draft, soft: true}:     "schedule scheduled scheduledat scheduledfor releasedate golivedate",
	{kind: markEmbargo, as: article.Draft}:              "embargo embargoed embargountil embargodate underembargo",
	{kind: markUntil, as: article.Withdrawn}:            "expirydate expires expiresat expireson expiredate expirationdate expiration expireat expiryat unpublishdate unpublishat unpublishon archivedate hideafter validuntil",
	{kind: markUntilOr, as: article.Withdrawn}:          "expire expired isexpired expiry unpublish archived isarchived archivedat deleted isdeleted deletedat trashed withdrawn retracted",
	{kind: markBuild, as: article.Draft}:                "build",
	{kind: markRender, as: article.Draft}:               "buildrender",
	{kind: markRender, as: article.Draft, soft: true}:   "render",
	{kind: markList, as: article.Unlisted}:              "buildlist",
	{kind: markPassword, as: article.Draft}:             "password postpassword",
	{kind: markAddress, as: article.Draft}:              "permalink",
	{kind: markFeed, as: article.Unlisted}:              "feed rss",
	{kind: markIgnored}: "publishing publishedin publishedby publishresources buildpublishresources lastpublished lastpublishedat republished republishedat firstpublished " +
		"originallypublished originalpublishdate sendemailwhenpublished hiddenfromsearch excludefromsearch",
})

// aboutPublisher are keys that name where else a piece came out, such as publisher or
// publication_types.
var aboutPublisher = regexp.MustCompile(`^(publisher|publication)`)

func marksOf(table map[mark]string) map[string]mark {
	out := map[string]mark{}
	for m, names := range table {
		for _, name := range strings.Fields(names) {
			out[name] = m
		}
	}
	return out
}

// looksLikeMark finds keys that may well keep an article back, among unknown ones.
var looksLikeMark = regexp.MustCompile(`draft|publish|private|hidden|unlisted|visib|embargo|expir|withdrawn`)

// nested are the mappings in which generators keep keys of the author's own.
var nested = map[string]bool{
	"params": true, "extra": true, "custom": true, "data": true, "meta": true, "metadata": true, "attributes": true, "properties": true,
	"frontmatter": true, "header": true, "page": true, "post": true,
}

// markName is a key as marks are compared: letters and digits only.
func markName(key string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(key))
}

// markWords are the words for whether an article is out. Scheduled needs a date.

var markWords = marksWords(map[article.Status]string{
	article.Published: "published publish public live active visible listed everyone all featured posted released",
	article.Scheduled: "scheduled future timed embargoed",
	article.Unlisted:  "unlisted hidden link linkonly unsearchable",
	article.Draft: "draft drafts autodraft private pending pendingreview review inreview underreview needsreview unpublished internal secret personal wip inprogress todo idea ideas new " +
		"onhold hold skip rejected members member membersonly subscribers subscribersonly paid onlypaid onlyfree founding premium tiers password passwordprotected protected " +
		"followers friends restricted sent inherit confidential incomplete writing editing notready",
	article.Withdrawn: "trash trashed deleted removed archived archive expired withdrawn retracted cancelled canceled spam obsolete",
})

func marksWords(table map[article.Status]string) map[string]article.Status {
	out := map[string]article.Status{}
	for status, words := range table {
		for _, word := range strings.Fields(words) {
			out[word] = status
		}
	}
	return out
}

// standing is what the marks of a file come to.
type standing struct {
	status    article.Status
	from      time.Time // not before
	until     time.Time // not after
	scheduled bool      // a word says that a date will come
}

// restriction orders the statuses: of several marks the strictest holds.
var restriction = map[article.Status]int{article.Published: 0, article.Unlisted: 1, article.Draft: 2, article.Withdrawn: 3}

func (s *standing) hold(as article.Status) {
	if restriction[as] > restriction[s.status] {
		s.status = as
	}
}

// standing reads all marks of a file.
func (im *importer) standing(m meta) (standing, *Problem) {
	s := standing{status: article.Published}
	for _, e := range m.entries {
		if problem := im.readMarks(&s, e, true); problem != nil {
			return s, problem
		}
	}
	if im.inDrafts(m) {
		s.hold(article.Draft)
	}
	return s, nil
}

// inDrafts reports whether a file lies in a folder of drafts. Jekyll and Hexo know
// _drafts. A folder called drafts counts as well, unless the file says otherwise.
func (im *importer) inDrafts(m meta) bool {
	below := strings.Split(strings.ToLower(path.Dir(im.file.Name)), "/")
	above := strings.Split(strings.ToLower(im.options.Folder), "/")
	if slices.Contains(slices.Concat(above, below), "_drafts") {
		return true
	}
	published, says := truth(m.values["published"])
	draft, saysDraft := truth(m.values["draft"])
	if says && published || saysDraft && !draft {
		return false
	}
	return slices.Contains(below, "drafts") || above[len(above)-1] == "drafts"
}

// readMarks reads an entry that may be a mark, or may hold some.
func (im *importer) readMarks(s *standing, e entry, top bool) *Problem {
	name := markName(e.key)
	known, there := marks[name]
	if fields, ok := e.value.(map[string]any); ok && top && !there && nested[name] {
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			if problem := im.readMarks(s, entry{key, fields[key], e.line}, false); problem != nil {
				problem.What = e.key + ": " + problem.What
				return problem
			}
		}
		return nil
	}
	if !there {
		if !looksLikeMark.MatchString(name) || aboutPublisher.MatchString(name) {
			return nil
		}
		return &Problem{
			Line: e.line, What: fmt.Sprintf("the key %s may keep the article back, but it is not known", e.key),
			Right: "write draft: true, status: unlisted, publishDate: or expiryDate: instead, or remove it to publish",
		}
	}
	right := im.readMark(s, known, e.value)
	if right == "" || known.soft {
		return nil
	}
	what := fmt.Sprintf("%s: %s is not understood", e.key, shown(e.value))
	if e.value == nil || e.value == "" {
		what = e.key + " has no value"
	}
	return &Problem{Line: e.line, What: what, Right: right}
}

func shown(value any) string {
	if text, ok := value.(string); ok {
		return fmt.Sprintf("%q", cutText(article.CleanLine(text), 100))
	}
	return cutText(article.CleanLine(fmt.Sprint(value)), 100)
}

const (
	rightTruth = "write true or false, or remove the line to publish"
	rightDate  = "write a date such as 2026-11-23 or 2026-11-23T08:00:00+01:00"
	rightWord  = "write published, draft, scheduled, unlisted or withdrawn"
	rightBuild = "write render: and list: with always or never"
)

// readMark applies one mark. It returns what to write instead when the value is not
// understood.
func (im *importer) readMark(s *standing, m mark, value any) (right string) {
	switch m.kind {
	case markShows:
		return im.readShows(s, m, value)
	case markHides:
		return readTruth(s, m.as, value, true)
	case markWord:
		return readWord(s, value)
	case markFrom, markUntil, markEmbargo, markUntilOr:
		return im.readWhen(s, m, value)
	case markBuild:
		return readBuild(s, value)
	case markRender, markList:
		return readPart(s, m.kind, value)
	case markPassword:
		if on, ok := truth(value); value != nil && value != "" && (!ok || on) {
			s.hold(m.as)
		}
	case markAddress:
		if on, ok := value.(bool); ok && !on || isWord(value, "false") {
			s.hold(m.as)
		}
	case markFeed:
		if on, ok := truth(value); ok && !on || isWord(value, "never") || isWord(value, "exclude") {
			s.hold(m.as)
		}
	}
	return ""
}

// readShows reads published and its kin. Some generators keep the date there.
func (im *importer) readShows(s *standing, m mark, value any) string {
	if right := readTruth(s, m.as, value, false); right == "" {
		return ""
	}
	if value == nil || value == "" {
		return rightTruth
	}
	if im.readTime(s, markFrom, value) != "" {
		return rightTruth + ", or a date"
	}
	return ""
}

func readTruth(s *standing, as article.Status, value any, holds bool) string {
	on, ok := truth(value)
	if !ok {
		return rightTruth
	}
	if on == holds {
		s.hold(as)
	}
	return ""
}

// readWhen reads a mark that is a date. Templates leave dates empty that are not
// wanted.
func (im *importer) readWhen(s *standing, m mark, value any) string {
	until := m.kind == markUntil || m.kind == markUntilOr
	on, isTruth := truth(value)
	switch {
	case value == nil, value == "":
	case until && (isWord(value, "never") || isWord(value, "none")):
	case isTruth && !on && m.kind != markFrom:
	case isTruth && on && (m.kind == markEmbargo || m.kind == markUntilOr):
		s.hold(m.as)
	default:
		return im.readTime(s, m.kind, value)
	}
	return ""
}

func (im *importer) readTime(s *standing, kind markKind, value any) string {
	when, err := parseDate(value, im.options.Zone)
	if err != nil {
		return rightDate
	}
	switch kind {
	case markFrom, markEmbargo:
		if when.After(s.from) {
			s.from = when
		}
	default:
		if s.until.IsZero() || when.Before(s.until) {
			s.until = when
		}
	}
	return ""
}

// readWord reads a status or visibility. Of several words the strictest holds.
func readWord(s *standing, value any) string {
	all := list(value)
	if len(all) == 0 {
		return rightWord
	}
	for _, one := range all {
		text, _ := one.(string)
		status, known := markWords[markName(text)]
		if on, ok := truth(one); ok && !known {
			if status, known = article.Draft, true; on {
				status = article.Published
			}
		}
		switch {
		case !known:
			return rightWord
		case status == article.Scheduled:
			s.scheduled = true
		default:
			s.hold(status)
		}
	}
	return ""
}

// readBuild reads Hugo's build options.
func readBuild(s *standing, value any) string {
	fields, ok := value.(map[string]any)
	if !ok {
		return rightBuild
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		kind := map[string]markKind{"render": markRender, "list": markList, "publishresources": markIgnored}
		k, known := kind[markName(key)]
		if !known {
			return rightBuild
		}
		if k == markIgnored {
			continue
		}
		if right := readPart(s, k, fields[key]); right != "" {
			return right
		}
	}
	return ""
}

// readPart reads build.render or build.list. A page that is not rendered has no
// address; one that is in no list is found by its address only.
func readPart(s *standing, kind markKind, value any) string {
	as := article.Unlisted
	if kind == markRender {
		as = article.Draft
	}
	on, isTruth := truth(value)
	switch {
	case isWord(value, "always"), isTruth && on:
	case isWord(value, "never"), isWord(value, "local"), isWord(value, "link"), isTruth:
		s.hold(as)
	default:
		return rightBuild
	}
	return ""
}

func isWord(value any, word string) bool {
	text, ok := value.(string)
	return ok && strings.EqualFold(strings.TrimSpace(text), word)
}

// truth reads a yes or no in the forms that YAML, TOML, JSON and people have.
func truth(value any) (yes, ok bool) {
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

// publication sets an article's status and times by its marks.
func (im *importer) publication(a *article.Article, m meta) *Problem {
	s, problem := im.standing(m)
	if problem != nil {
		return problem
	}
	a.Status, a.Expires = s.status, s.until
	// An article comes out at its date or at the date that a mark names, whichever is
	// later, and shows that date.
	if s.from.After(a.Published) {
		a.Published = s.from
	}
	if _, dated := m.date(); s.scheduled && !dated {
		return &Problem{Line: max(m.lines["status"], 1), What: "the article is scheduled, but no date says when it appears", Right: "add publishDate: 2026-11-23T08:00:00+01:00"}
	}
	return nil
}

// dateKeys are where an article's date is looked for, in this order and in the form
// of markName.
var dateKeys = []string{
	"date", "published", "publishdate", "pubdate", "publisheddate", "publishedat", "datepublished", "publishedon", "publishat", "publicationdate", "publishtime", "publishedtime",
	"postdate", "created", "createdat", "datecreated", "createddate", "creationdate",
}

// date finds the entry that dates the article.
func (m meta) date() (entry, bool) {
	for _, name := range dateKeys {
		for _, e := range slices.Backward(m.entries) {
			if markName(e.key) != name || e.value == nil || e.value == "" {
				continue
			}
			if _, isTruth := truth(e.value); name != "published" || !isTruth {
				return e, true
			}
		}
	}
	return entry{}, false
}
