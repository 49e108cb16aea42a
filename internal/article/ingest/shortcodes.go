package ingest

import (
	"fmt"
	"html"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
)

// Texts for static site generators contain template tags and shortcodes: Liquid (Jekyll,
// Eleventy), the tags of Hexo, the shortcodes of Hugo and Zola, the attribute lists of kramdown.
// Tags with a certain meaning are rendered. Attribute lists are dropped. All other tags are
// dropped with a warning, so that none appears in a feed or a summary. Code and braces that are
// not such tags stay unchanged.

// maxTemplateTag is the maximum size of a tag in bytes. It bounds the search for the end of a
// tag.
const maxTemplateTag = 4000

// shortcodes rewrites the tags of one text.
type shortcodes struct {
	im       *importer
	text     string
	line     int // line of the file on which the text begins
	title    string
	code     []span // parts with code, which stay unchanged
	out      strings.Builder
	at       int             // position in text
	unclosed map[string]bool // names of tags without an end tag in the rest of the text
	toc      bool            // a table of contents was dropped
	assigned map[string]bool // variables that the text itself sets, which are tags even in code
}

// renderShortcodes renders or drops the template tags of a text in Markdown or HTML. line is its
// first line in the file.
func (im *importer) renderShortcodes(text string, k kind, line int, title string) string {
	if !strings.Contains(text, "{%") && !strings.Contains(text, "{{") && !strings.Contains(text, "{:") && !tocLine.MatchString(text) {
		return text
	}
	s := shortcodes{im: im, text: text, line: line, title: title, unclosed: map[string]bool{}}
	if k == kindMarkdown {
		s.code = markdownCode(text)
	} else {
		s.code = htmlCode(text)
	}
	s.findAssigned()
	for s.at < len(text) {
		next := s.nextTag()
		s.out.WriteString(text[s.at:next])
		if s.at = next; next < len(text) {
			s.tag()
		}
	}
	if k != kindMarkdown {
		return s.out.String()
	}
	return tocLine.ReplaceAllString(s.out.String(), "")
}

// assignment matches a tag of Liquid or Nunjucks that sets a variable.
var assignment = regexp.MustCompile(`\{%-?\s*(?:assign|capture|set)\s+([A-Za-z_]\w*)`)

// findAssigned finds the variables that the text sets outside code. Generators fill them in
// before they read Markdown, so their values stand in code too.
func (s *shortcodes) findAssigned() {
	code := s.code
	for _, found := range assignment.FindAllStringSubmatchIndex(s.text, -1) {
		for len(code) > 0 && code[0].to <= found[0] {
			code = code[1:]
		}
		if len(code) > 0 && code[0].from <= found[0] {
			continue
		}
		if s.assigned == nil {
			s.assigned = map[string]bool{}
		}
		s.assigned[s.text[found[2]:found[3]]] = true
	}
}

// isAssigned reports whether an expression in braces begins with a variable of the text.
func (s *shortcodes) isAssigned(inner string) bool {
	return s.assigned[expressionName.FindString(strings.TrimSpace(inner))]
}

var expressionName = regexp.MustCompile(`^[A-Za-z_]\w*`)

// assignedIn returns the position of the next expression with a variable of the text in a part
// of the text, or -1.
func (s *shortcodes) assignedIn(from, to int) int {
	for at := from; len(s.assigned) > 0 && at < to; at += 2 {
		found := strings.Index(s.text[at:to], "{{")
		if found < 0 {
			return -1
		}
		if at += found; s.isAssigned(s.text[at+2 : min(len(s.text), at+100)]) {
			return at
		}
	}
	return -1
}

// rawTag matches the tag before text that the generator copies. It is removed from code too.
var rawTag = regexp.MustCompile(`\{%-?\s*raw\s*-?%\}`)

// tagInCode returns the position of the next tag that the generator reads in code: a variable of
// the text, or raw. It returns -1 if there is none.
func (s *shortcodes) tagInCode(from, to int) int {
	next := s.assignedIn(from, to)
	if !s.fillsBraces() {
		return next
	}
	if raw := rawTag.FindStringIndex(s.text[from:to]); raw != nil && (next < 0 || from+raw[0] < next) {
		return from + raw[0]
	}
	return next
}

// tocLine matches a placeholder line for a table of contents.
var tocLine = regexp.MustCompile(`(?m)^(?:\[\[?(?:toc|TOC)\]\]?|\[\[_TOC_\]\])[ \t]*$`)

// nextTag returns the position at which the next tag outside code may begin.
func (s *shortcodes) nextTag() int {
	for at := s.at; ; at++ {
		found := strings.IndexByte(s.text[at:], '{')
		if found < 0 || at+found+1 >= len(s.text) {
			return len(s.text)
		}
		at += found
		for len(s.code) > 0 && s.code[0].to <= at {
			s.code = s.code[1:]
		}
		if len(s.code) > 0 && s.code[0].from <= at {
			if next := s.tagInCode(at, s.code[0].to); next >= 0 {
				return next
			}
			at = s.code[0].to - 1
			continue
		}
		if strings.IndexByte("%{:", s.text[at+1]) >= 0 {
			return at
		}
	}
}

// tag reads the tag at the current position, or copies the brace if there is none.
func (s *shortcodes) tag() {
	rest := s.text[s.at:min(len(s.text), s.at+maxTemplateTag)]
	switch {
	case strings.HasPrefix(rest, "{{<"):
		s.readTag(rest, "{{<", ">}}", s.shortcode)
	case strings.HasPrefix(rest, "{{%"):
		s.readTag(rest, "{{%", "%}}", s.shortcode)
	case strings.HasPrefix(rest, "{%"):
		s.readTag(rest, "{%", "%}", s.liquid)
	case strings.HasPrefix(rest, "{{"):
		s.readTag(rest, "{{", "}}", s.output)
	default:
		s.attributes(rest)
	}
}

// readTag calls read with the content between opening and closing. If read returns false, the
// text is not a tag and stays unchanged. read may advance beyond the tag, for example to its end
// tag.
func (s *shortcodes) readTag(rest, opening, closing string, read func(inner string) bool) {
	end := strings.Index(rest, closing)
	if end < 0 {
		s.keep(len(opening))
		return
	}
	start := s.at
	s.at += end + len(closing)
	if !read(strings.TrimSpace(strings.Trim(rest[len(opening):end], "-"))) {
		s.at = start
		s.keep(len(opening))
	}
}

// keep copies n bytes unchanged.
func (s *shortcodes) keep(n int) {
	s.out.WriteString(s.text[s.at : s.at+n])
	s.at += n
}

// drop adds a warning about a tag that is dropped. It returns true, for callers that return
// whether they read a tag.
func (s *shortcodes) drop(tag string) bool {
	if s.im.warnedEnough() {
		return true
	}
	line := s.line + strings.Count(s.text[:s.at], "\n")
	name := tagName.FindString(strings.TrimLeft(tag, "/ "))
	s.im.warn(line, fmt.Sprintf("the template tag %s is left out: %q", name, cutText(article.CleanLine(tag), 60)), "write what it stands for as Markdown or HTML")
	return true
}

// tagName matches the name of a tag, or the first part of an expression.
var tagName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_-]*`)

// cutContent returns the text up to the end tag and moves behind that. It returns false if there
// is no end tag.
func (s *shortcodes) cutContent(name string, end *regexp.Regexp) (string, bool) {
	if s.unclosed[name] {
		return "", false
	}
	found := end.FindStringIndex(s.text[s.at:])
	if found == nil {
		s.unclosed[name] = true
		return "", false
	}
	inner := s.text[s.at : s.at+found[0]]
	s.at += found[1]
	return inner, true
}

// End tags of tags whose content is not read for tags.
var (
	liquidEnds = map[string]*regexp.Regexp{
		"raw": regexp.MustCompile(`\{%-?\s*endraw\s*-?%\}`), "comment": regexp.MustCompile(`\{%-?\s*endcomment\s*-?%\}`),
		"highlight": regexp.MustCompile(`\{%-?\s*endhighlight\s*-?%\}`), "codeblock": regexp.MustCompile(`\{%-?\s*endcodeblock\s*-?%\}`),
	}
	hugoHighlight = regexp.MustCompile(`\{\{[<%]\s*/\s*highlight\s*[>%]\}\}`)
)

// liquid renders a tag of Liquid, Hexo or Zola in {% %}.
func (s *shortcodes) liquid(inner string) bool {
	name, arguments, _ := strings.Cut(inner, " ")
	name, _, _ = strings.Cut(name, "(")
	if name == "" {
		return false
	}
	if end := liquidEnds[name]; end != nil {
		content, ended := s.cutContent(name, end)
		switch {
		case !ended:
			if s.drop(inner); name == "comment" { // it would show what the author hides
				s.at = len(s.text)
			}
			return true
		case name == "raw":
			s.out.WriteString(content)
		case name != "comment":
			s.fence(arguments, content)
		}
		return true
	}
	switch {
	case strings.HasPrefix(name, "end"):
	case name == "post_url" || name == "link":
		page := strings.Trim(strings.TrimSpace(arguments), `"'`)
		if name == "post_url" { // its name is without extension, and may have a dot all the same
			page += ".md"
		}
		s.out.WriteString(pageLink(page))
	case name == "asset_img" || name == "img":
		s.hexoImage(arguments)
	case embedURLs[name] != "":
		s.embed(name, parseArguments(strings.TrimPrefix(inner, name)))
	default:
		return s.drop(inner)
	}
	return true
}

// fence writes code as a fenced block.
func (s *shortcodes) fence(arguments, code string) {
	language, _, _ := strings.Cut(strings.TrimSpace(arguments), " ")
	if strings.ContainsAny(language, ":=`") {
		language = ""
	}
	mark := fenceAround(code)
	fmt.Fprintf(&s.out, "\n%s%s\n%s\n%s\n", mark, language, strings.Trim(code, "\r\n"), mark)
}

// pageLink returns the link to a page that a tag names by its file.
func pageLink(name string) string {
	page, fragment, _ := strings.Cut(name, "#")
	if fragment != "" {
		fragment = "#" + fragment
	}
	page = strings.TrimRight(page, "/")
	if _, text := kinds[strings.ToLower(path.Ext(page))]; text {
		return article.PathFor(slugOfFile(page)) + fragment
	}
	if path.Ext(page) == "" {
		return article.PathFor(slugOfFile(page+".")) + fragment
	}
	return "/" + strings.TrimPrefix(page, "/") + fragment
}

func (s *shortcodes) hexoImage(arguments string) {
	words := strings.Fields(arguments)
	at := slices.IndexFunc(words, func(word string) bool { return strings.Contains(word, ".") })
	if at < 0 {
		s.drop("img " + arguments)
		return
	}
	var title []string
	for _, word := range words[at+1:] {
		if strings.Trim(word, "0123456789") != "" {
			title = append(title, strings.Trim(word, `"'`))
		}
	}
	s.image(words[at], strings.Join(title, " "), "")
}

func (s *shortcodes) image(source, alt, caption string) {
	picture := fmt.Sprintf(`<img src="%s" alt="%s">`, html.EscapeString(source), html.EscapeString(alt))
	if caption != "" {
		picture = fmt.Sprintf("\n<figure>%s<figcaption>%s</figcaption></figure>\n", picture, html.EscapeString(caption))
	}
	s.out.WriteString(picture)
}

// embedURLs maps shortcodes that embed another site's content to the URL before its id.
var embedURLs = map[string]string{
	"youtube": "https://www.youtube.com/watch?v=", "vimeo": "https://vimeo.com/", "gist": "https://gist.github.com/", "instagram": "https://www.instagram.com/p/",
}

func (s *shortcodes) embed(name string, a arguments) {
	id := a.first("id", "video_id", "")
	if name == "gist" && len(a.plain) > 1 {
		id = a.plain[0] + "/" + a.plain[1]
	}
	if id == "" || strings.ContainsAny(id, " \t\n<>()[]") {
		s.drop(name)
		return
	}
	link := embedURLs[name] + id
	if strings.HasPrefix(id, "http") {
		link = id
	}
	fmt.Fprintf(&s.out, "<%s>", link)
}

// shortcode renders a shortcode of Hugo. One in /* */ is an example, so it stays as text.
func (s *shortcodes) shortcode(inner string) bool {
	if shown, quoted := strings.CutPrefix(inner, "/*"); quoted {
		shown, _ = strings.CutSuffix(strings.TrimSpace(shown), "*/")
		s.out.WriteString("{{&lt;" + html.EscapeString(shown) + "&gt;}}")
		return true
	}
	inner = strings.TrimSpace(strings.TrimSuffix(inner, "/"))
	name, rest, _ := strings.Cut(inner, " ")
	a := parseArguments(rest)
	switch {
	case strings.HasPrefix(inner, "/"), name == "rawhtml", name == "raw":
	case name == "figure" || name == "img" || name == "image":
		source := a.first("src", "url", "")
		if source == "" {
			return s.drop(inner)
		}
		s.image(source, a.first("alt", "title", "caption"), a.first("caption", "title"))
	case name == "ref" || name == "relref":
		s.out.WriteString(pageLink(a.first("path", "")))
	case name == "highlight":
		code, ended := s.cutContent(name, hugoHighlight)
		if !ended {
			return s.drop(inner)
		}
		s.fence(a.first(""), code)
	case embedURLs[name] != "":
		s.embed(name, a)
	default:
		return s.drop(inner)
	}
	return true
}

// zolaShortcode matches a shortcode of Zola.
var zolaShortcode = regexp.MustCompile(`^(\w+)\((.*)\)$`)

// templateVariable matches an expression with a variable of Liquid or Nunjucks.
var templateVariable = regexp.MustCompile(`^(?:site|page|post|include|layout|content|collections|paginator|pkg|metadata|jekyll|config|theme|section|eleventy)\b`)

// filteredText matches a quoted text with a filter that makes a URL of it.
var filteredText = regexp.MustCompile(`^(?:"([^"]*)"|'([^']*)')\s*\|\s*(?:relative_url|absolute_url|url|prepend|append|asset_path|url_for)\b`)

// filteredURL matches a quoted address with any filter.
var filteredURL = regexp.MustCompile(`^(?:"((?:https?:/)?/[^"]*)"|'((?:https?:/)?/[^']*)')\s*\|\s*\w`)

// plainExpression matches a variable with its fields and filters, or a text with filters.
var plainExpression = regexp.MustCompile(`^(?:[A-Za-z_][\w.-]*(?:\[[^\]]*\])*(?:\s*\|[^{}]*)?|(?:"[^"]*"|'[^']*')\s*\|[^{}]*)$`)

// fillsBraces reports whether the generator of the site replaces every variable in braces.
func (s *shortcodes) fillsBraces() bool {
	return s.im.site != nil && (s.im.site.generator == jekyll || s.im.site.generator == eleventy || s.im.site.generator == hexo)
}

// output renders a tag in {{ }}, which stands for a value. It returns false for other text in
// braces.
func (s *shortcodes) output(inner string) bool {
	if found := zolaShortcode.FindStringSubmatch(inner); found != nil {
		a := parseArguments(strings.ReplaceAll(found[2], ",", " "))
		switch source := a.first("src", "path", "url"); {
		case embedURLs[found[1]] != "":
			s.embed(found[1], a)
		case source != "" && strings.HasPrefix(mediaTypeOf(source), "image/"):
			s.image(source, a.first("alt", "title", "caption"), a.first("caption", "title"))
		default:
			return s.drop(inner)
		}
		return true
	}
	if found := filteredText.FindStringSubmatch(inner); found != nil {
		s.out.WriteString(found[1] + found[2])
		return true
	}
	if found := filteredURL.FindStringSubmatch(inner); found != nil {
		s.out.WriteString(found[1] + found[2])
		return true
	}
	value, _, _ := strings.Cut(inner, "|")
	switch strings.TrimSpace(value) {
	case "site.baseurl", "site.url", "site.github.url", "site.base_url", "BASE_PATH", "root_url", "baseurl":
		return true
	case "page.title", "title":
		if s.title != "" {
			s.out.WriteString(s.title)
			return true
		}
	}
	if !templateVariable.MatchString(inner) && !s.isAssigned(inner) && !(s.fillsBraces() && plainExpression.MatchString(inner)) {
		return false
	}
	return s.drop(inner)
}

// attributeList matches an attribute list of kramdown.
var attributeList = regexp.MustCompile(`^\{:{1,2}/?\s*(?:[.#\w][^}\n]*(?:\n[^}\n]+)?)?\}`)

// attributes drops an attribute list. If it asks for a table of contents, the list item before
// it is a placeholder and is dropped too.
func (s *shortcodes) attributes(rest string) {
	if n := kramdownComment(s.text[s.at:]); n > 0 {
		s.at += n
		return
	}
	found := attributeList.FindString(rest)
	if found == "" {
		s.keep(1)
		return
	}
	s.at += len(found)
	if s.toc || !strings.Contains(found, "toc") || strings.Contains(found, "no_toc") {
		return
	}
	s.toc = true
	if text := s.out.String(); tocItem.MatchString(text) {
		text = tocItem.ReplaceAllString(text, "\n")
		s.out.Reset()
		s.out.WriteString(text)
	}
}

var tocItem = regexp.MustCompile(`(?:\A|\n)[ \t]*(?:[*+-]|\d+\.)[ \t]+[^\n]*\n[ \t]*\z`)

// arguments holds the named and the positional arguments of a shortcode.
type arguments struct {
	named map[string]string
	plain []string
}

var argumentPattern = regexp.MustCompile(`(?:([\w-]+)\s*=\s*)?(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|` + "`([^`]*)`" + `|([^\s"']+))`)

func parseArguments(text string) arguments {
	a := arguments{named: map[string]string{}}
	for _, found := range argumentPattern.FindAllStringSubmatch(strings.Trim(text, "()"), 50) {
		value := strings.ReplaceAll(found[2], `\"`, `"`) + found[3] + found[4] + found[5]
		if found[1] == "" {
			a.plain = append(a.plain, value)
		} else {
			a.named[strings.ToLower(found[1])] = value
		}
	}
	return a
}

// first returns the value of the first argument that is given. The empty name stands for the
// first positional argument.
func (a arguments) first(names ...string) string {
	for _, name := range names {
		if name == "" && len(a.plain) > 0 {
			return a.plain[0]
		}
		if value := a.named[name]; value != "" {
			return value
		}
	}
	return ""
}
