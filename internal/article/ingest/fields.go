package ingest

import (
	"cmp"
	"fmt"
	"net/mail"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/tidings-press/tidings/internal/article"
)

// Bounds of the fields, in bytes; what is longer is cut with a warning.
const (
	maxTitle   = 1000
	maxLink    = 2000
	maxTag     = 200
	maxSummary = 5000
	maxNames   = 100 // authors, tags or enclosures of one article
)

// fields reads what the front matter says of the article.
func (im *importer) fields(a *article.Article, m meta) *Problem {
	for _, key := range []string{"title", "slug"} {
		switch m.values[key].(type) {
		case []any, map[string]any:
			return &Problem{Line: m.lines[key], What: key + " is a list, where one value is wanted", Right: "quote a text that begins with [ or {"}
		}
	}
	a.Title = im.text(m, "title", maxTitle)
	a.Summary = im.text(m, "summary", maxSummary)
	if a.Summary == "" {
		a.Summary = im.text(m, "description", maxSummary)
	}
	if problem := im.dates(a, m); problem != nil {
		return problem
	}
	if problem := im.publication(a, m); problem != nil {
		return problem
	}
	a.Slug = article.Slugify(im.text(m, "slug", maxTitle))
	if a.Named = a.Slug != ""; !a.Named {
		a.Slug = cmp.Or(slugOfFile(im.file.Name), "article")
	}
	im.identity(a, m)
	a.URL = im.text(m, "url", maxLink)
	a.Tags = uniqueTags(append(names(m.values["tags"]), im.options.Tags...))
	a.Authors = im.authors(m)
	a.Language = im.language(m)
	im.aliases(a, m)
	return nil
}

// aliases makes redirects of the addresses that an article had before, and of its
// file's name when it is not its slug: other articles link to the file.
func (im *importer) aliases(a *article.Article, m meta) {
	from := map[string]bool{a.Path(): true, "/": true, article.PathFor(""): true}
	add := func(path string) {
		if !from[path] && len(im.out.Redirects) < maxNames {
			im.out.Redirects = append(im.out.Redirects, article.Redirect{From: path, To: a.Path()})
		}
		from[path] = true
	}
	for _, alias := range names(m.values["aliases"]) {
		path, ok := aliasPath(alias)
		if !ok {
			im.warn(m.lines["aliases"], fmt.Sprintf("aliases: %q is no address", alias), "write an old path such as /2024/05/old-name")
			continue
		}
		add(path)
	}
	if !im.ofMany {
		add(article.PathFor(slugOfFile(im.file.Name)))
	}
}

// aliasPath returns the path of an old address: of a URL, a path or a bare slug.
func aliasPath(alias string) (string, bool) {
	u, err := url.Parse(alias)
	if err != nil || u.Opaque != "" {
		return "", false
	}
	if u.Host == "" && !strings.HasPrefix(u.Path, "/") {
		return article.PathFor(article.Slugify(alias)), true
	}
	return u.EscapedPath(), true
}

// dates reads the date, the one thing besides the title that cannot be guessed.
func (im *importer) dates(a *article.Article, m meta) *Problem {
	var missing []string
	if a.Title == "" {
		missing = append(missing, "title")
	}
	date, dated := m.date()
	// What nobody sees needs no date yet.
	held, problem := im.standing(m)
	unseen := problem == nil && restriction[held.status] >= restriction[article.Draft]
	if !dated && !im.options.DateFromFile && !unseen {
		missing = append(missing, "date")
	}
	if len(missing) > 0 {
		return &Problem{Line: 1, What: strings.Join(missing, " and ") + " missing in the front matter", Right: "add " + example(missing)}
	}
	if !dated {
		a.Published = im.file.Modified.UTC().Truncate(time.Millisecond)
	} else {
		when, err := parseDate(date.value, im.options.Zone)
		if err != nil {
			return &Problem{Line: date.line, What: date.key + ": " + err.Error(), Right: "write 2026-11-23 or 2026-11-23T08:00:00+01:00"}
		}
		a.Published = when
	}
	for _, key := range []string{"updated", "lastmod"} {
		if m.values[key] == nil {
			continue
		}
		when, err := parseDate(m.values[key], im.options.Zone)
		if err != nil {
			return &Problem{Line: m.lines[key], What: key + ": " + err.Error(), Right: "write 2026-11-23 or 2026-11-23T08:00:00+01:00"}
		}
		a.Updated = when
	}
	return nil
}

func example(missing []string) string {
	out := make([]string, len(missing))
	for i, name := range missing {
		out[i] = map[string]string{"title": "title: …", "date": "date: 2026-11-23"}[name]
	}
	return strings.Join(out, " and ")
}

// text reads one line of text of bounded length.
func (im *importer) text(m meta, key string, most int) string {
	value, ok := m.values[key]
	if !ok || value == nil {
		return ""
	}
	text := article.CleanLine(fmt.Sprint(value))
	if len(text) > most {
		im.warn(m.lines[key], fmt.Sprintf("%s has %d bytes and is cut after %d", key, len(text), most), "")
	}
	return cutText(text, most)
}

// cutText cuts a text after so many bytes, between two letters.
func cutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.TrimSpace(strings.ToValidUTF8(text[:most], ""))
}

func (im *importer) language(m meta) string {
	for _, key := range []string{"lang", "language"} {
		tag := im.text(m, key, maxTitle)
		if tag == "" {
			continue
		}
		if normal, ok := normalLanguage(tag); ok {
			return normal
		}
		im.warn(m.lines[key], fmt.Sprintf("%s: %q is no language", key, tag), "write a tag such as en or pt-BR")
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

// checkAuthor drops what is no address, since pages and feeds make links of it.
func (im *importer) checkAuthor(author article.Author, line int) article.Author {
	if author.URL != "" {
		u, err := url.Parse(author.URL)
		if err != nil || !isWeb(u) {
			im.warn(line, fmt.Sprintf("%s: %q is no URL of a page", author.Name, author.URL), "write https://… or leave it out")
			author.URL = ""
		}
	}
	if address, err := mail.ParseAddress(author.Email); author.Email != "" && (err != nil || address.Address != author.Email) {
		im.warn(line, fmt.Sprintf("%s: %q is no mail address", author.Name, author.Email), "write name@example.org or leave it out")
		author.Email = ""
	}
	return author
}

// readAuthor reads a name, "Name <address>", or a mapping with name, email, url.
func readAuthor(value any) article.Author {
	if fields, ok := value.(map[string]any); ok {
		get := func(key string) string {
			if fields[key] == nil {
				return ""
			}
			return article.CleanLine(fmt.Sprint(fields[key]))
		}
		return article.Author{Name: get("name"), Email: get("email"), URL: get("url")}
	}
	if value == nil {
		return article.Author{}
	}
	text := article.CleanLine(fmt.Sprint(value))
	if address, err := mail.ParseAddress(text); err == nil && address.Name != "" {
		return article.Author{Name: address.Name, Email: address.Address}
	}
	return article.Author{Name: text}
}

// list makes one value or many the same.
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

// names reads a list of names; one text may hold several with commas.
func names(value any) []string {
	var out []string
	for _, v := range list(value) {
		if v == nil {
			continue
		}
		text, single := v.(string)
		if !single {
			text = fmt.Sprint(v)
		}
		parts := []string{text}
		if _, many := value.([]any); !many {
			parts = strings.Split(text, ",")
		}
		for _, part := range parts {
			if part = norm.NFC.String(article.CleanLine(part)); part != "" {
				out = append(out, cutText(part, maxTag))
			}
		}
	}
	return out
}

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

// guidKeys are where a file gives its article an id of its own.
var guidKeys = []string{"guid", "uuid", "id"}

// identity sets what the article is recognised by.
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

// slugOfFile makes a slug of a file's name; a page called index is named by its
// folder.
func slugOfFile(name string) string {
	base := path.Base(name)
	base = strings.TrimSuffix(base, path.Ext(base))
	if dir := path.Base(path.Dir(name)); base == "index" && dir != "." && dir != "/" {
		base = dir
	}
	return article.Slugify(base)
}
