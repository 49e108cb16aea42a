package lint

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/words"
)

// maxSubject is how many characters of a subject most phones show.
const maxSubject = 60

func (c *checker) subject() {
	for i := range c.Variants {
		v := &c.Variants[i]
		at := where{variant: v.Key}
		n := utf8.RuneCountInString(v.Subject)
		switch {
		case strings.TrimSpace(v.Subject) == "":
			c.add("subject-empty", at, words.T("the subject is empty"))
		case n > maxSubject:
			c.add("subject-long", at, words.T("the subject has {0} characters; phones show about {1}", n, maxSubject))
		}
		if slices.Contains(c.Subjects, v.Subject) && v.Subject != "" {
			c.add("subject-repeated", at, words.T("one of the last {0} editions had the subject “{1}”", len(c.Subjects), excerpt(v.Subject)))
		}
	}
}

// articles checks what the edition says of its articles.
func (c *checker) articles() {
	for i := range c.Articles {
		if a := &c.Articles[i]; strings.TrimSpace(a.Summary) == "" {
			c.add("summary-missing", where{article: a.Title}, words.T("the article has no summary"))
		}
	}
}

// parts checks the size of a variant's parts, and that both hold the articles.
func (c *checker) parts(v *Variant) {
	at := where{variant: v.Key}
	if !c.Message && (len(v.Articles) == 0 || v.Shown == 0) {
		c.add("edition-empty", at, words.T("the variant shows no article"))
	}
	switch size := htmlSize(v); {
	case size > digest.MaxBytes:
		c.add("weight-over", at, words.T("the HTML part has {0} bytes; Gmail cuts mails off at {1}", size, digest.MaxBytes))
	case size > digest.WarnBytes:
		c.add("weight-large", at, words.T("the HTML part has {0} bytes; Gmail cuts mails off at {1}", size, digest.MaxBytes))
	}
	if strings.TrimSpace(v.Text) == "" {
		c.add("text-missing", at, words.T("the text part is empty"))
		return
	}
	plain := squeeze(v.Text)
	for i := range c.Articles {
		a := &c.Articles[i]
		address := a.URLFor(c.Site.URL)
		inText := strings.Contains(v.Text, address) || a.Title != "" && strings.Contains(plain, squeeze(a.Title))
		if !inText && strings.Contains(v.HTML, html.EscapeString(address)) {
			c.add("text-incomplete", where{article: a.Title, variant: v.Key}, words.T("the text part has neither the article's title nor a link to it"))
		}
	}
}

// footer checks what the law of many countries requires in each mail.
func (c *checker) footer(v *Variant, d *document) {
	at := where{variant: v.Key}
	link := v.Placeholders.Unsubscribe
	linked := false
	for _, n := range d.root.Find("a[href]").Nodes {
		linked = linked || attribute(n, "href") == link
	}
	if !linked {
		c.add("unsubscribe-missing", at, words.T("the HTML part has no unsubscribe link"))
	}
	if strings.TrimSpace(v.Text) != "" && !strings.Contains(v.Text, link) {
		c.add("unsubscribe-missing", at, words.T("the text part has no unsubscribe link"))
	}
	lines := slices.DeleteFunc(strings.Split(c.Site.Postal, "\n"), func(s string) bool { return strings.TrimSpace(s) == "" })
	if len(lines) == 0 {
		c.add("postal-unset", where{}, words.T("no postal address is configured"))
		return
	}
	shown, plain := text(d.root.Nodes[0]), squeeze(v.Text)
	for _, line := range lines {
		if line = squeeze(line); !strings.Contains(shown, line) || plain != "" && !strings.Contains(plain, line) {
			c.add("postal-missing", at, words.T("the line “{0}” of the postal address is not in both parts", excerpt(line)))
			return
		}
	}
}

// leftover matches text that a template prints when a value is missing or was not filled in.
var leftover = regexp.MustCompile(`\{\{|\}\}|\[\[|\]\]|\*\||\|\*|%%[A-Za-z_]+%%|<no value>|%!\w?\(|\[object Object\]|\b(?:undefined|NaN)\b|(?i:\blorem ipsum\b)`)

// leftovers finds leftovers in text that the template or an editor wrote. Articles may show such
// text, as code for example.
func (c *checker) leftovers(v *Variant, d *document) {
	at := where{variant: v.Key}
	report := func(part words.Text, s string) {
		if s = squeeze(s); !leftover.MatchString(s) || c.inArticle(s) {
			return
		}
		if found := leftover.FindString(c.titles.Replace(s)); found != "" {
			c.add("leftover-text", at, words.T("{0} contains “{1}”: “{2}”", part, found, excerpt(s)))
		}
	}
	report(words.T("the subject"), v.Subject)
	for n := range d.root.Nodes[0].Descendants() {
		switch {
		case n.Type == html.TextNode && !unseen(n.Parent):
			report(words.T("the HTML part"), n.Data)
		case n.Type == html.ElementNode:
			for _, name := range []string{"alt", "title", "href", "src"} {
				report(words.T("the {0} of an element", name), attribute(n, name))
			}
		}
		if n.Type == html.ElementNode && slices.Contains(headings, n.DataAtom) && text(n) == "" && !hasAlt(n) {
			c.add("heading-empty", at, words.T("the element {0} is empty", n.Data))
		}
	}
	for line := range strings.Lines(v.Text) {
		report(words.T("the text part"), line)
	}
}

var headings = []atom.Atom{atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6}

// hasAlt reports whether an element holds an image with an alt text.
func hasAlt(n *html.Node) bool {
	for below := range n.Descendants() {
		if below.DataAtom == atom.Img && attribute(below, "alt") != "" {
			return true
		}
	}
	return false
}

// articleTexts returns everything that articles may print in a mail.
func articleTexts(all []article.Article) string {
	var out strings.Builder
	add := func(s string) {
		out.WriteString(squeeze(s))
		out.WriteByte('\n')
	}
	for i := range all {
		a := &all[i]
		for _, s := range append([]string{a.Title, a.Summary, a.Slug, a.URL}, a.Tags...) {
			add(s)
		}
		for _, author := range a.Authors {
			add(author.Name)
		}
		if a.Image != nil {
			add(a.Image.Alt)
			add(a.Image.URL)
		}
		body := parse(a.HTML).root.Nodes[0]
		add(text(body))
		for n := range body.Descendants() {
			for _, attr := range n.Attr {
				add(attr.Val)
			}
		}
	}
	return out.String()
}

// articleTitles returns a replacer that removes what templates print inside of other text: titles,
// tags and names of authors.
func articleTitles(all []article.Article) *strings.Replacer {
	var pairs []string
	for i := range all {
		a := &all[i]
		for _, s := range append([]string{a.Title, a.Summary}, a.Tags...) {
			pairs = append(pairs, squeeze(s), " ")
		}
		for _, author := range a.Authors {
			pairs = append(pairs, squeeze(author.Name), " ")
		}
	}
	for i := len(pairs) - 2; i >= 0; i -= 2 {
		if pairs[i] == "" {
			pairs = slices.Delete(pairs, i, i+2)
		}
	}
	return strings.NewReplacer(pairs...)
}

// inArticle reports whether an article has a text, which may be cut off at its end.
func (c *checker) inArticle(s string) bool {
	s = strings.TrimSpace(strings.TrimSuffix(s, "…"))
	return s == "" || strings.Contains(c.own(), s)
}
