package ingest

import (
	"regexp"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
)

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
	{kind: keyShows, status: article.Draft}:                   "published publish ispublished dgpublish webpublished " + publishedWords,
	{kind: keyShows, status: article.Draft, lenient: true}:    "public ispublic live islive routable enabled online isonline active isactive ready isready approved isapproved",
	{kind: keyShows, status: article.Unlisted, lenient: true}: "listed visible discoverable",
	{kind: keyHides, status: article.Draft}:                   "draft isdraft saveasdraft private isprivate unpublished headless ignorepost membersonly subscribersonly emailonly " + draftWords,
	{kind: keyHides, status: article.Draft, lenient: true}:    "wip encrypt encrypted protected passwordprotected premium paywall paid",
	{kind: keyHides, status: article.Unlisted, lenient: true}: "hide nofeed norss rssexclude feedexclude hidefromfeed hidefromrss hideinfeed hideinrss hidefromhomepage hidefromlist",
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

// The keys published and draft in other languages, in the form of normalKey, which leaves out
// letters with accents.
const (
	publishedWords = "veroeffentlicht verffentlicht publicado publicada publi publie pubblicato gepubliceerd publicerad opublikowany"
	draftWords     = "entwurf istentwurf brouillon borrador bozza rascunho utkast kladde szkic"
)

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
