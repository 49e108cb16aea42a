// Package ingest imports articles from files. Import parses one file: front matter, text in
// Markdown, HTML or plain text, and the media that it refers to. The HTML is sanitized here,
// once. Importer imports files and folders into the store, recognises moved files, and watches
// folders for changes.
package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/markup"
)

// Limits of what is read.
const (
	MaxFile     = 8 << 20 // bytes of a file
	MaxFileText = "8 MB"
	MaxMedium   = 20 << 20 // bytes of a picture or sound beside a file

	maxMedia    = 200 << 20 // bytes of all of them beside one file
	maxWarnings = 50        // of one article
)

// File is a file to import.
type File struct {
	Name     string // path below the imported folder, with forward slashes
	Data     []byte
	Modified time.Time
}

// Options say how files become articles.
type Options struct {
	Site         string           // address of this site, such as "https://example.org"
	BaseURL      string           // where the original articles are published; empty for pages of this site
	Source       string           // prefix of the file's name in Article.Source
	Alias        string           // the prefix that earlier imports used if the folder was given by a symbolic link; may be empty
	Folder       string           // path of the imported folder, with forward slashes; articles in a folder of drafts are withheld
	Language     string           // for articles that do not give one; empty to detect it
	Author       string           // for articles that do not give one
	Tags         []string         // added to every article
	Strip        []*regexp.Regexp // lines of the file that match are dropped
	Zone         *time.Location   // for dates without a zone; nil means UTC
	DateFromFile bool             // use the modification time of the file if there is no date
	// Media reads a file that an article refers to by a relative path. If it is nil, such links
	// are resolved against the URL of the article.
	Media func(name string) ([]byte, error)

	settings *settings // settings of the site generator; nil for none
}

// Imported is the result of importing one article: the article with its media and redirects, or
// only redirects.
type Imported struct {
	Article   *article.Article // without an ID, which the store sets; nil if there are only redirects
	Redirects []article.Redirect
	Media     []article.Medium
	Warnings  []*Problem // what was corrected or left out
}

// Import parses a file. A file gives one article, or one per line if it holds JSON lines. It
// returns a problem for each article that cannot be imported, and all other articles.
func Import(file File, options Options) ([]Imported, []*Problem) {
	if options.Zone == nil {
		options.Zone = time.UTC
	}
	if len(file.Data) > MaxFile {
		return nil, []*Problem{{File: file.Name, What: fmt.Sprintf("the file has more than %d KB", (len(file.Data)-1)>>10), Fix: fmt.Sprintf("at most %d KB are read; cut it into several files", MaxFile>>10)}}
	}
	im := importer{file: file, options: options}
	if im.site, im.below = options.settings.siteOf(file.Name); im.site != nil && im.site.zone != nil {
		im.options.Zone = im.site.zone
	}
	switch ext := strings.ToLower(path.Ext(file.Name)); ext {
	case ".jsonl", ".ndjson":
		return im.jsonLines()
	default:
		k, known := kinds[ext]
		if !known {
			break
		}
		one, problem := im.document(k)
		if problem != nil {
			problem.File = file.Name
			return nil, []*Problem{problem}
		}
		return []Imported{*one}, nil
	}
	if format := unread[strings.ToLower(path.Ext(file.Name))]; format != "" {
		return nil, []*Problem{{File: file.Name, What: "texts in " + format + " are not read", Fix: "convert them to Markdown, for example with pandoc"}}
	}
	return nil, []*Problem{{File: file.Name, What: "this kind of file is not known", Fix: "write .md, .mdx, .html, .txt or .jsonl"}}
}

// unread maps the extensions of texts that cannot be read to their format, so that they are
// reported and not passed over.
var unread = map[string]string{".rst": "reStructuredText", ".org": "Org", ".adoc": "AsciiDoc", ".asciidoc": "AsciiDoc", ".textile": "Textile"}

// Importable reports whether Import can read a file, judged by the extension of its name.
func Importable(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	_, ok := kinds[ext]
	return ok || ext == ".jsonl" || ext == ".ndjson"
}

// kind is the format of a text.
type kind int

const (
	kindMarkdown kind = iota
	kindHTML
	kindText
)

var kinds = map[string]kind{
	".md": kindMarkdown, ".markdown": kindMarkdown, ".mdx": kindMarkdown, ".mdown": kindMarkdown, ".mkd": kindMarkdown, ".mkdn": kindMarkdown, ".mkdown": kindMarkdown, ".html": kindHTML, ".htm": kindHTML, ".txt": kindText, ".text": kindText,
}

// importer holds the state of the import of one file.
type importer struct {
	file            File
	options         Options
	severalArticles bool // the file holds several articles, so its name belongs to none of them
	links           links
	base            *url.URL          // base URL that an HTML page gives for its links; else nil
	site            *site             // generator of the site that the file belongs to; nil if unknown
	below           string            // path of the file below the folder of that site
	files           map[string]string // names of media by path; empty for media that were left out
	size            int64             // bytes of media so far
	// structure counts what maxStructure bounds.
	structure int
	out       Imported
	at        string // link that is being resolved, which warnings without a line are about
}

// document imports a file that holds one article.
func (im *importer) document(k kind) (*Imported, *Problem) {
	if problem := im.decode(k); problem != nil {
		return nil, problem
	}
	s, problem := splitFrontMatter(im.file.Data)
	if problem != nil {
		return nil, problem
	}
	m, body, line := s.meta, s.body, s.line
	if m.values == nil {
		m = newMeta()
	}
	if !s.found && k == kindMarkdown && !im.options.DateFromFile && im.dateOfPath(m) == "" && !im.isPost() {
		return nil, &Problem{Line: 1, What: "there is no front matter, so its date is missing", Fix: "begin the file with ---, title: …, date: …, ---"}
	}
	return im.parseText(m, body, k, line, s.found)
}

// parseText makes the article from front matter and the text below it. line is the first line of the
// text; found is set if there was front matter.
func (im *importer) parseText(m meta, body []byte, k kind, line int, found bool) (*Imported, *Problem) {
	if k == kindMarkdown && !m.has("title") {
		if title, rest := cutHeading(body); title != "" {
			line += bytes.Count(body[:len(body)-len(rest)], []byte("\n"))
			body = rest
			m.add("title", title, line)
		}
	}
	body, line = im.strip(body, line)
	if problem := im.checkSource(string(body), k, line); problem != nil {
		return nil, problem
	}
	if k == kindMarkdown && im.isMDX() {
		body = []byte(im.fromMDX(string(body), line))
	}
	if k == kindMarkdown || k == kindHTML && found {
		body = []byte(im.renderShortcodes(string(body), k, line, stringOf(m.values["title"])))
	}
	if k == kindMarkdown {
		body = []byte(renderContainers(string(body)))
	}
	return im.build(m, string(body), k, line)
}

// isMDX reports whether the file is MDX. Docusaurus reads all its Markdown as MDX.
func (im *importer) isMDX() bool {
	return strings.EqualFold(path.Ext(im.file.Name), ".mdx") || im.site != nil && im.site.generator == docusaurus
}

// build makes the article from front matter and text. line is the first line of the text.
func (im *importer) build(m meta, body string, k kind, line int) (*Imported, *Problem) {
	if m.has("redirect") && !m.has("title") {
		return im.redirect(m)
	}
	if problem := im.checkText(body, k, line); problem != nil {
		return nil, problem
	}
	a := &article.Article{Source: im.options.Source + im.file.Name, Status: article.Published}
	im.out.Article = a
	if k == kindHTML {
		var problem *Problem
		if body, problem = im.fromPage(&m, body); problem != nil {
			return nil, problem
		}
	}
	if k == kindText {
		body = im.fromText(&m, body)
	}
	if problem := im.fields(a, m); problem != nil {
		return nil, problem
	}
	if err := im.resolveAddress(a); err != nil {
		return nil, &Problem{Line: m.lines["url"], What: err.Error(), Fix: "write an absolute URL such as https://example.org/blog"}
	}
	if k == kindMarkdown {
		var err error
		if body, err = markup.Markdown([]byte(body)); err != nil {
			return nil, markdownProblem(err, line)
		}
		im.structure = 0
		if problem := im.checkHTML(body, line); problem != nil {
			problem.Line = line
			return nil, problem
		}
	}
	teaser, divided := cutTeaser(body, m)
	a.HTML = markup.Sanitize(body, im.locatedLink)
	if a.Summary == "" && divided {
		a.Summary = cutText(article.CleanLine(article.PlainText(markup.Sanitize(teaser, nil))), maxSummary)
	}
	im.attachments(a, m)
	im.fillDefaults(a)
	a.Translation = im.translation(a, m)
	if a.Title == "" {
		return nil, &Problem{Line: 1, What: "title missing, and there is no text to take one from", Fix: "add title: …"}
	}
	return &im.out, nil
}

// markdownProblem returns the problem for an error of markup.Markdown. line is the first line of the
// text.
func markdownProblem(err error, line int) *Problem {
	p := &Problem{Line: line, What: "the Markdown cannot be read: " + err.Error(), Fix: "cut it into several articles"}
	var table *markup.TableError
	if errors.As(err, &table) {
		p.Line += table.Line
	}
	return p
}

// resolveAddress sets the canonical URL of the article and the base for its links.
func (im *importer) resolveAddress(a *article.Article) error {
	site, err := url.Parse(strings.TrimSuffix(strings.TrimSpace(im.options.Site), "/"))
	if err != nil {
		return fmt.Errorf("the site's address %q is not a URL", im.options.Site)
	}
	im.links.site = site
	im.resolvePathURL(a)
	if a.URL == "" && im.options.BaseURL != "" {
		a.URL = strings.TrimSuffix(im.options.BaseURL, "/") + "/" + url.PathEscape(a.Slug)
	}
	address := a.URLFor(im.options.Site)
	if im.links.base, err = url.Parse(address); err != nil || (a.URL != "" && !markup.IsWeb(im.links.base)) {
		return fmt.Errorf("the article's address %q is not a URL of a page", address)
	}
	return nil
}

// resolvePathURL handles a url: in the front matter that is only a path, as static sites write
// it. With BaseURL it is the path of the original article; otherwise it becomes a redirect.
func (im *importer) resolvePathURL(a *article.Article) {
	if !strings.HasPrefix(a.URL, "/") || strings.HasPrefix(a.URL, "//") {
		return
	}
	if base, err := url.Parse(im.options.BaseURL); err == nil && markup.IsWeb(base) {
		if u, err := base.Parse(a.URL); err == nil {
			a.URL = u.String()
			return
		}
	}
	im.redirectFrom(a, aliasPaths(a.URL)...)
	a.URL = ""
}

// divider matches the comments with which generators end the summary at the start of a text.
var divider = regexp.MustCompile(`(?i)<!--\s*(?:more|truncate|excerpt|end[_ -]?excerpt|excerpt[_ -]end|read[_ -]?more|teaser|cut|summary|preview)\b[^>]{0,100}-->`)

// cutTeaser returns the text before the divider, and whether there is a divider.
func cutTeaser(body string, m meta) (string, bool) {
	if own := stringOf(m.values["excerpt_separator"]); own != "" { // Jekyll
		if teaser, _, found := strings.Cut(body, own); found {
			return teaser, true
		}
	}
	found := divider.FindStringIndex(body)
	if found == nil || strings.TrimSpace(body[:found[0]]) == "" {
		return "", false
	}
	return body[:found[0]], true
}

// titleLength is the maximum number of letters of a title that is taken from the text.
const titleLength = 70

// titleOf returns a title for HTML without one: its first heading, or else its first sentence.
func titleOf(body string) string {
	nodes, err := html.ParseFragment(strings.NewReader(body), &html.Node{Type: html.ElementNode, Data: "body", DataAtom: atom.Body})
	if err != nil {
		return ""
	}
	for _, level := range []atom.Atom{atom.H1, atom.H2, atom.H3} {
		for _, n := range nodes {
			if heading := firstElement(n, level); heading != nil {
				if text := article.CleanLine(textOf(heading)); text != "" {
					return cutText(text, maxTitle)
				}
			}
		}
	}
	return Summarize(body, titleLength)
}

// fillDefaults sets the fields that the file does not give, and the hashes.
func (im *importer) fillDefaults(a *article.Article) {
	if a.Title == "" {
		a.Title = titleOf(a.HTML)
	}
	if a.Title == "" && strings.Contains(a.HTML, "<") { // pictures only
		_, name := cutNameDate(nameOfFile(im.file.Name))
		a.Title = article.CleanLine(strings.NewReplacer("-", " ", "_", " ").Replace(name))
	}
	if a.Language == "" {
		a.Language = im.detectLanguage(a)
	}
	if a.Summary == "" {
		a.Summary = Summarize(a.HTML, SummaryLength)
	}
	if a.Updated.Before(a.Published) {
		a.Updated = a.Published
	}
	a.Hash, a.Content = a.ContentHash(), a.Fingerprint()
}

// locatedLink is link, for links that stand in the file.
func (im *importer) locatedLink(link string) string {
	if strings.TrimSpace(link) == "" { // what a template would have filled in
		return ""
	}
	im.at = link
	defer func() { im.at = "" }()
	return im.link(link)
}

// lineOf returns the first line of the file with a link, as it is written or encoded, or 0.
func (im *importer) lineOf(link string) int {
	link = strings.TrimSpace(link)
	plain, err := url.PathUnescape(link)
	if err != nil {
		plain = link
	}
	for _, text := range []string{link, plain, path.Base(link), path.Base(plain)} {
		at := bytes.Index(im.file.Data, []byte(text))
		for next := at; next > 0 && im.file.Data[next-1] == '/'; { // the end of another link
			found := bytes.Index(im.file.Data[next+1:], []byte(text))
			if found < 0 {
				break
			}
			next += 1 + found
			at = next
		}
		if at >= 0 && len(text) > 3 {
			return 1 + bytes.Count(im.file.Data[:at], []byte("\n"))
		}
	}
	return 0
}

// detectLanguage returns the language of a text that gives none. If it cannot be told, it is the
// one of the site.
func (im *importer) detectLanguage(a *article.Article) string {
	tag, confidence := detectLanguage(a.Title, a.HTML)
	if im.site != nil && im.site.language != "" && confidence < certain {
		return im.site.language
	}
	return tag
}

// warnedEnough reports whether further warnings are dropped. Callers that count lines for a warning ask
// first, since counting them for each of many tags takes quadratic time.
func (im *importer) warnedEnough() bool { return len(im.out.Warnings) >= maxWarnings }

func (im *importer) warn(line int, what, fix string) {
	if im.warnedEnough() {
		return
	}
	if line == 0 && im.at != "" && !im.severalArticles {
		line = im.lineOf(im.at)
	}
	im.out.Warnings = append(im.out.Warnings, &Problem{File: im.file.Name, Line: line, What: what, Fix: fix})
}

// redirect imports a file that holds only a redirect, which leads from the path of the file to
// another page.
func (im *importer) redirect(m meta) (*Imported, *Problem) {
	target, _ := m.values["redirect"].(string)
	u, err := url.Parse(strings.TrimSpace(target))
	to := ""
	switch {
	case err != nil:
	case markup.IsWeb(u):
		to = u.String()
	case u.Scheme == "" && u.Host == "" && article.Slugify(path.Base(u.Path)) != "":
		to = article.PathFor(article.Slugify(path.Base(u.Path)))
	}
	if to == "" {
		return nil, &Problem{Line: m.lines["redirect"], What: fmt.Sprintf("redirect: %q is not an address", target), Fix: "write the new path, such as /blog/new-name"}
	}
	from := article.PathFor(slugOfFile(im.file.Name))
	if from == to {
		return nil, &Problem{Line: m.lines["redirect"], What: "the redirect leads to itself"}
	}
	return &Imported{Redirects: []article.Redirect{{From: from, To: to}}}, nil
}
