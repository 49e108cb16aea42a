package ingest

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/markup"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// Limits of the fields, in bytes. Longer values are cut with a warning.
const (
	maxTitle   = 1000
	maxLink    = 2000
	maxTag     = 200
	maxSummary = 5000
	maxNames   = 100 // authors, tags or enclosures of one article
)

// fields sets the fields of an article from its front matter.
func (im *importer) fields(a *article.Article, m meta) *Problem {
	for _, key := range []string{"title", "slug"} {
		switch m.values[key].(type) {
		case []any, map[string]any:
			return &Problem{Line: m.lines[key], What: key + " is a list, where one value is wanted", Fix: "quote a text that begins with [ or {"}
		}
	}
	a.Title = im.text(m, "title", maxTitle)
	a.Summary = im.summary(m)
	v, problem := im.visibility(m)
	if problem != nil {
		return problem
	}
	if problem := im.dates(a, m, v); problem != nil {
		return problem
	}
	if problem := publication(a, m, v); problem != nil {
		return problem
	}
	a.Slug = article.Slugify(im.text(m, "slug", maxTitle))
	if a.Named = a.Slug != ""; !a.Named {
		a.Slug = cmp.Or(slugOfFile(im.file.Name), "article")
	}
	im.identity(a, m)
	a.URL = im.address(m)
	a.Tags = uniqueTags(append(tagsOf(m), im.options.Tags...))
	a.Authors = im.authors(m)
	a.Language = im.language(m)
	a.Weight = im.weight(m)
	if a.URL == "" && im.site != nil && !im.severalArticles {
		a.URL = im.site.address(a, m, im.below, im.options.Zone)
	}
	im.aliases(a, m)
	return nil
}

// summary returns the summary in the front matter, or an empty string.
func (im *importer) summary(m meta) string {
	for _, key := range []string{"summary", "excerpt", "description"} {
		if _, isTruth := parseBool(m.values[key]); isTruth { // says only whether to show a summary
			continue
		}
		if text := im.text(m, key, maxSummary); text != "" {
			return text
		}
	}
	return ""
}

// maxWeight bounds the weight of an article in both directions.
const maxWeight = 1_000_000_000

// weight returns the weight in the front matter, or 0.
func (im *importer) weight(m meta) int {
	value := m.values["weight"]
	if value == nil {
		return 0
	}
	text := strings.TrimSpace(fmt.Sprint(value))
	n, err := strconv.Atoi(text)
	if err != nil || n < -maxWeight || n > maxWeight {
		im.warn(m.lines["weight"], fmt.Sprintf("weight: %q is not a whole number", text), "write a number such as 10; lower weights come first")
		return 0
	}
	return n
}

// address returns the URL or path in the front matter, or an empty string. Patterns such as
// /:year/:title/ are rules of the generator and not addresses.
func (im *importer) address(m meta) string {
	for _, key := range []string{"url", "permalink"} {
		text, _ := m.values[key].(string)
		if text == "" || key == "permalink" && (!strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "http") || strings.ContainsAny(text, ":{") && !strings.HasPrefix(text, "http")) {
			continue
		}
		return im.text(m, key, maxLink)
	}
	if text := im.text(m, "path", maxLink); strings.HasPrefix(text, "/") || datedPath.MatchString(text) { // Gatsby and others
		if im.site != nil && im.site.generator == zola { // zolaAddress reads it
			return ""
		}
		return "/" + strings.TrimPrefix(text, "/")
	}
	return ""
}

// datedPath matches year, month and day as folders of a path.
var datedPath = regexp.MustCompile(`(?:^|/)(\d{4}/\d{1,2}/\d{1,2})(?:/|$)`)

// dateOfPath returns the date in the name of the file, in the address of the article, or in the
// folders of the file, or an empty string.
func (im *importer) dateOfPath(m meta) string {
	if im.severalArticles {
		return ""
	}
	if named, _ := cutNameDate(nameOfFile(im.file.Name)); named != "" {
		return named
	}
	for _, text := range []string{stringOf(m.values["path"]), stringOf(m.values["permalink"]), stringOf(m.values["url"]), path.Dir(im.file.Name)} {
		if found := datedPath.FindStringSubmatch(text); found != nil {
			if _, err := parseDate(found[1], time.UTC); err == nil {
				return found[1]
			}
		}
	}
	return ""
}

// isPost reports whether the generator of the file's site takes it for a post even without
// front matter.
func (im *importer) isPost() bool { return im.site != nil && im.site.isPost(im.below) }

// tagsOf returns the tags and categories of an article, from all keys that generators use.
func tagsOf(m meta) []string {
	out := names(m.values["tags"], m.spaced)
	out = append(out, names(m.values["tag"], m.spaced)...)
	out = append(out, names(m.values["categories"], m.spaced)...)
	out = append(out, names(m.values["category"], false)...)
	if taxonomies, ok := m.values["taxonomies"].(map[string]any); ok { // Zola
		for _, key := range []string{"tags", "categories"} {
			out = append(out, names(taxonomies[key], false)...)
		}
	}
	return out
}

// aliases adds redirects from the earlier addresses of an article. It also adds one from the
// name of its file if that is not its slug, since other articles link to the file.
func (im *importer) aliases(a *article.Article, m meta) {
	for _, key := range []string{"aliases", "redirect_from"} {
		for _, alias := range names(m.values[key], false) {
			paths := aliasPaths(alias)
			if len(paths) == 0 {
				im.warn(m.lines[key], fmt.Sprintf("%s: %q is not an address", key, alias), "write an old path such as /2024/05/old-name")
			}
			im.redirectFrom(a, paths...)
		}
	}
	if !im.severalArticles {
		im.redirectFrom(a, article.PathFor(slugOfFile(im.file.Name)))
	}
}

// redirectFrom adds redirects from old paths to the article.
func (im *importer) redirectFrom(a *article.Article, paths ...string) {
	for _, from := range paths {
		known := from == "/" || strings.TrimSuffix(from, "/") == a.Path() || from == article.PathFor("") || slices.ContainsFunc(im.out.Redirects, func(r article.Redirect) bool { return r.From == from })
		if !known && len(im.out.Redirects) < 2*maxNames {
			im.out.Redirects = append(im.out.Redirects, article.Redirect{From: from, To: a.Path()})
		}
	}
}

// aliasPaths returns the paths of an old address, which may be a URL, a path with or without a
// slash at its start, or a slug. It returns a path with and without a slash at its end, since
// both forms are requested.
func aliasPaths(alias string) []string {
	u, err := url.Parse(markup.EncodeLink(alias))
	if err != nil || u.Opaque != "" || u.Path == "" {
		return nil
	}
	path := u.EscapedPath()
	var out []string
	if u.Host == "" && !strings.HasPrefix(path, "/") {
		path = "/" + path
		if !strings.Contains(strings.Trim(path, "/"), "/") {
			out = append(out, article.PathFor(article.Slugify(alias)))
		}
	}
	out = append(out, path)
	switch {
	case path == "/":
	case strings.HasSuffix(path, "/"):
		out = append(out, strings.TrimSuffix(path, "/"))
	case !strings.Contains(path[strings.LastIndexByte(path, '/'):], ".htm"):
		out = append(out, path+"/")
	}
	return out
}

const fixTime = "write 2026-11-23 or 2026-11-23T08:00:00+01:00"

// dates sets the date of the article: from the front matter, else from the name of the file,
// else from its modification time if the options allow that. Drafts and withdrawn articles need
// no date.
func (im *importer) dates(a *article.Article, m meta, v visibility) *Problem {
	date, dated := m.date()
	named := im.dateOfPath(m)
	switch {
	case dated:
		when, err := parseDate(date.value, im.options.Zone)
		if err != nil {
			return &Problem{Line: date.line, What: date.key + ": " + err.Error(), Fix: fixTime}
		}
		a.Published = when
	case named != "":
		a.Published, _ = parseDate(named, im.options.Zone)
	case im.isPost() && !im.options.DateFromFile && restriction[v.status] < restriction[article.Draft]:
		a.Published = im.file.Modified.UTC().Truncate(time.Millisecond)
		im.warn(1, "no date is given, so the file's time is used, as Hexo does", "add date: 2026-11-23")
	case im.options.DateFromFile || restriction[v.status] >= restriction[article.Draft]:
		a.Published = im.file.Modified.UTC().Truncate(time.Millisecond)
	default:
		return &Problem{Line: 1, What: "date missing in the front matter", Fix: "add date: 2026-11-23"}
	}
	im.updated(a, m)
	return nil
}

// updatedKeys are the keys that may hold the date of the last change, in order of precedence and
// in the form of normalKey.
var updatedKeys = []string{"updated", "lastmod", "modified", "updateddate", "updatedat", "lastmodifiedat", "lastmodified", "datemodified", "lastupdated"}

// updated sets the date of the last change from the front matter.
func (im *importer) updated(a *article.Article, m meta) {
	for _, name := range updatedKeys {
		for _, e := range slices.Backward(m.entries) {
			_, isTruth := parseBool(e.value)
			if normalKey(e.key) != name || e.value == nil || e.value == "" || isTruth {
				continue
			}
			when, err := parseDate(e.value, im.options.Zone)
			if err != nil {
				im.warn(e.line, e.key+": "+err.Error(), fixTime)
				continue
			}
			a.Updated = when
			return
		}
	}
}

// text returns a value as one line of at most that many bytes.
func (im *importer) text(m meta, key string, most int) string {
	value, ok := m.values[key]
	if !ok || value == nil {
		return ""
	}
	switch value.(type) {
	case []any, map[string]any:
		im.warn(m.lines[key], key+" is a list, where one value is wanted, and is left out", "quote a text that begins with [ or {")
		return ""
	}
	text := article.CleanLine(fmt.Sprint(value))
	if len(text) > most {
		im.warn(m.lines[key], fmt.Sprintf("%s has %d bytes and is cut after %d", key, len(text), most), "")
	}
	return cutText(text, most)
}

// cutText cuts a text to at most that many bytes, without splitting a character.
func cutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.TrimSpace(strings.ToValidUTF8(text[:most], ""))
}

// language returns the language in the front matter, in the name of the file, or in the
// options.
func (im *importer) language(m meta) string {
	for _, key := range []string{"lang", "language", "locale"} {
		tag := im.text(m, key, maxTitle)
		if tag == "" {
			continue
		}
		if normal, ok := normalLanguage(tag); ok {
			return normal
		}
		im.warn(m.lines[key], fmt.Sprintf("%s: %q is not a language", key, tag), "write a tag such as en or pt-BR")
	}
	if tag, _ := cutNameLanguage(stem(im.file.Name)); tag != "" && !im.severalArticles {
		return tag
	}
	if im.site != nil {
		if tag := im.site.languageAt(im.below); tag != "" {
			return tag
		}
	}
	normal, _ := normalLanguage(im.options.Language)
	return normal
}

func (im *importer) authors(m meta) []article.Author {
	var out []article.Author
	for _, key := range []string{"authors", "author", "by"} {
		for _, value := range list(m.values[key]) {
			if author := readAuthor(value); author.Name != "" && len(out) < maxNames {
				out = append(out, im.checkAuthor(author, m.lines[key]))
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	if author := readAuthor(im.options.Author); author.Name != "" {
		return []article.Author{author}
	}
	return nil
}

// checkAuthor removes an invalid URL or mail address of an author with a warning, since pages
// and feeds link to them.
func (im *importer) checkAuthor(author article.Author, line int) article.Author {
	if author.URL != "" {
		u, err := url.Parse(author.URL)
		if err != nil || !markup.IsWeb(u) {
			im.warn(line, fmt.Sprintf("%s: %q is not a URL of a page", author.Name, author.URL), "write https://… or leave it out")
			author.URL = ""
		}
	}
	if _, err := subscriber.ParseAddress(author.Email); author.Email != "" && err != nil {
		im.warn(line, fmt.Sprintf("%s: %q is not a mail address", author.Name, author.Email), "write name@example.org or leave it out")
		author.Email = ""
	}
	return author
}

// readAuthor reads an author: a name, a name with an address (see subscriber.ParseMailbox), or a mapping with name, email, url and portrait.
func readAuthor(value any) article.Author {
	if fields, ok := value.(map[string]any); ok {
		get := func(key string) string {
			if fields[key] == nil {
				return ""
			}
			return article.CleanLine(fmt.Sprint(fields[key]))
		}
		portrait := cmp.Or(get("portrait"), get("image"), get("avatar"), get("picture"))
		return article.Author{Name: get("name"), Email: get("email"), URL: get("url"), Portrait: portrait}
	}
	if value == nil {
		return article.Author{}
	}
	text := article.CleanLine(fmt.Sprint(value))
	if name, address, err := subscriber.ParseMailbox(text); err == nil && name != "" {
		return article.Author{Name: name, Email: address.String()}
	}
	return article.Author{Name: text}
}

// list returns a value that may be a list as a list.
func list(value any) []any {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		return v
	case []map[string]any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = v[i]
		}
		return out
	}
	return []any{value}
}

// names reads a list of names. A single text is split at commas, or if it has none and spaced is
// set, at spaces. A mapping has its name under name, title or label.
func names(value any, spaced bool) []string {
	var out []string
	for _, v := range list(value) {
		if v == nil {
			continue
		}
		if inner, nested := v.([]any); nested {
			out = append(out, names(inner, false)...)
			continue
		}
		text, single := v.(string)
		if fields, ok := v.(map[string]any); ok {
			text = cmp.Or(field(fields, "name"), field(fields, "title"), field(fields, "label"))
		} else if !single {
			text = fmt.Sprint(v)
		}
		parts := []string{text}
		if _, many := value.([]any); !many {
			if parts = strings.Split(text, ","); len(parts) == 1 && spaced {
				parts = strings.Fields(text)
			}
		}
		for _, part := range parts {
			if part = norm.NFC.String(article.CleanLine(part)); part != "" {
				out = append(out, cutText(part, maxTag))
			}
		}
	}
	return out
}

// uniqueTags removes empty and repeated tags, and returns at most maxNames.
func uniqueTags(tags []string) []string {
	seen := map[string]bool{}
	tags = slices.DeleteFunc(slices.Clone(tags), func(tag string) bool {
		k := article.TagKey(tag)
		old := seen[k]
		seen[k] = true
		return old || k == ""
	})
	return tags[:min(len(tags), maxNames)]
}

// guidKeys are the keys that may hold an id of the article.
var guidKeys = []string{"guid", "uuid", "id"}

// identity sets the GUID of the article from its front matter.
func (im *importer) identity(a *article.Article, m meta) {
	for _, key := range guidKeys {
		switch value := m.values[key].(type) {
		case nil, []any, map[string]any:
		default:
			if a.GUID = cutText(article.CleanLine(fmt.Sprint(value)), maxLink); a.GUID != "" {
				return
			}
		}
	}
}

// stem returns the name of a file without folder and extension.
func stem(name string) string {
	return strings.TrimSuffix(path.Base(name), path.Ext(name))
}

// nameOfFile returns the part of a path that names the article: the name of the file without
// extension and language, or the name of its folder if the file is called index.
func nameOfFile(name string) string {
	_, base := cutNameLanguage(stem(name))
	if dir := path.Base(path.Dir(name)); base == "index" && dir != "." && dir != "/" {
		base = dir
	}
	return base
}

// slugOfFile returns the slug that follows from the name of a file.
func slugOfFile(name string) string {
	_, rest := cutNameDate(nameOfFile(name))
	return article.Slugify(rest)
}
