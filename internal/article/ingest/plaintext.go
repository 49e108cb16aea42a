package ingest

import (
	"bytes"
	"regexp"
	"strings"

	"golang.org/x/net/html"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/article/markup"
)

// Boilerplate matches lines around the article of a web page that was saved as text: tracking
// tags, teasers, share buttons, advertisements. It is used on plain text only, which has no
// markup that separates them from the article. Patterns for a single site belong in the strip
// list of its source.
var Boilerplate = compileAll(
	`^(fbpx|ShareThis|AddToAny|gtm|Print Friendly)$`,
	`^(LIRE AUSSI|À LIRE AUSSI|A LIRE AUSSI|LIRE ÉGALEMENT|READ ALSO|ALSO READ|READ MORE|LESEN SIE AUCH|LEER TAMBIÉN|اقرأ أيضا|関連記事)([ \t:：]|$)`,
	`(?i)^-* *(advertisement|advertising|publicité|anzeige|publicidad|إعلان|広告)[ -]*$`,
	`(?i)^(share this|partager|teilen|compartir)( :|:|$)`,
)

// commentForm matches the first line of a comment form. The article ends before it.
var commentForm = compileAll(
	`(?i)^(laisser un commentaire|laisser une réponse|leave a (comment|reply)|schreibe? einen kommentar|deja (un comentario|una respuesta)|اترك (تعليقا|رد)|コメントを(残す|書く))`,
	`(?i)^your email address will not be published`,
)

// signature matches a short last paragraph of capitals and digits, such as an initial or a page
// code. It is not part of the article.
var signature = regexp.MustCompile(`^[\p{Lu}\d./-]{1,6}$`)

func compileAll(patterns ...string) []*regexp.Regexp {
	out := make([]*regexp.Regexp, len(patterns))
	for i, p := range patterns {
		out[i] = regexp.MustCompile(p)
	}
	return out
}

func matchesAny(patterns []*regexp.Regexp, line string) bool {
	for _, p := range patterns {
		if p.MatchString(line) {
			return true
		}
	}
	return false
}

// strip removes the lines that match a strip pattern of the source. It returns the rest and its
// first line number, which stays the same.
func (im *importer) strip(body []byte, line int) ([]byte, int) {
	if len(im.options.Strip) == 0 {
		return body, line
	}
	var out bytes.Buffer
	for l := range bytes.Lines(body) {
		if !matchesAny(im.options.Strip, strings.TrimSpace(string(l))) {
			out.Write(l)
		}
	}
	return out.Bytes(), line
}

// fromText converts plain text to HTML. The first line is the title unless the front matter
// gives one, and blank lines separate paragraphs. Without a date in the front matter or the
// file's name it uses the time of the file, with a warning.
func (im *importer) fromText(m *meta, body string) string {
	blocks := textBlocks(body)
	if !m.has("title") && len(blocks) > 0 {
		title, rest, _ := strings.Cut(blocks[0], "\n")
		m.add("title", title, 0)
		if blocks[0] = rest; rest == "" {
			blocks = blocks[1:]
		}
	}
	named, _ := cutNameDate(nameOfFile(im.file.Name))
	if _, dated := m.date(); !dated && (named == "" || im.severalArticles) {
		m.add("date", im.file.Modified, 0)
		if !im.options.DateFromFile {
			im.warn(0, "no date is given, so the file's time is used", "begin the file with ---, title: …, date: …, ---")
		}
	}
	var out strings.Builder
	for _, block := range blocks {
		out.WriteString("<p>" + strings.ReplaceAll(html.EscapeString(block), "\n", "<br>\n") + "</p>\n")
	}
	return out.String()
}

// textBlocks returns the paragraphs of a text without boilerplate.
func textBlocks(body string) []string {
	var blocks []string
	var paragraph []string
	flush := func() {
		if len(paragraph) > 0 {
			blocks = append(blocks, strings.Join(paragraph, "\n"))
			paragraph = nil
		}
	}
	for line := range strings.Lines(strings.ToValidUTF8(body, "\uFFFD")) {
		line = article.CleanLine(line)
		if matchesAny(commentForm, line) {
			break
		}
		switch {
		case line == "":
			flush()
		case !matchesAny(Boilerplate, line):
			paragraph = append(paragraph, line)
		}
	}
	flush()
	for len(blocks) > 1 && signature.MatchString(blocks[len(blocks)-1]) {
		blocks = blocks[:len(blocks)-1]
	}
	return blocks
}

var headingPattern = regexp.MustCompile(`\A\s*#[ \t]+(.+?)[ \t#]*(?:\r?\n|\z)`)

// cutHeading removes the heading at the start of a Markdown text and returns it as plain text.
// It becomes the title, which every page shows above the text.
func cutHeading(body []byte) (string, []byte) {
	found := headingPattern.FindSubmatchIndex(body[:min(len(body), 4096)])
	if found == nil {
		return "", body
	}
	heading, err := markup.Markdown(body[found[2]:found[3]])
	if err != nil {
		return "", body
	}
	return article.CleanLine(article.PlainText(heading)), body[found[1]:]
}
