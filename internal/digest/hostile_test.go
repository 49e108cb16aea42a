package digest

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/templates"
)

// hostile lists texts that are likely to break mails.
var hostile = []string{
	"{{.}}", "{{.Reader.Unsubscribe}}", `{{template "top" .}}`, "{{end}}", "{{range 1000000000}}{{end}}", "[[ name ]]", "%s%d%!",
	"<script>alert(1)</script>", "</style><script>alert(1)</script>", "</title><img src=x onerror=alert(1)>", "<!--[if mso]><p>x</p><![endif]-->",
	"--><b>", "<!--conditional 0-->", "]]>", `" onmouseover="alert(1)`, "' style='position:fixed", "AT&T &amp;lt; &#x3c;b&#x3e;",
	"tdgaaaaaaaaaaaaaaaaaaaaaaaaunsu", "sampleUnsubscribe", "conditional 1",
	"\u202Eesrever\u202C", "\u2067\u2066\u2069", "line\r\nBcc: all@example.org", "nul\x00 tab\t esc\x1b", "\uFFFE\uFFFF", "broken \xff\xfe utf8",
	strings.Repeat("a", 300), strings.Repeat("漢", 300), "e" + strings.Repeat("\u0301", 5000), strings.Repeat("👩‍👩‍👧‍👦", 400), "   ", "",
}

func TestContentNeverBecomesCode(t *testing.T) {
	t.Parallel()
	set := builtIn(t)
	for _, text := range hostile {
		for _, tmpl := range []string{"digest", "brief"} {
			in := sampleInput()
			in.Definition.Template = tmpl
			in.Articles = []article.Article{{
				ID: "h1", Slug: "h", Title: text, Summary: text, Language: "en", Authors: []article.Author{{Name: text}}, Tags: []string{text},
				Image: &article.Image{URL: "/media/x.jpg", Alt: text}, Published: testTime,
			}, in.Articles[0]}
			v, err := Render(in, Preferences{}, set)
			if err != nil {
				t.Errorf("%.40q: %v", text, err)
				continue
			}
			checkSafe(t, text, v)
		}
	}
}

// checkSafe checks that a mail contains nothing that must not be in one.
func checkSafe(t *testing.T, text string, v Variant) {
	t.Helper()
	if strings.ContainsAny(v.Subject, "\r\n\x00\u202E\u2066") || v.Subject == "" || len(v.Subject) > 8*templates.MaxSubject+3 {
		t.Errorf("%.40q: subject %.300q", text, v.Subject)
	}
	for _, part := range []string{v.HTML, v.Text} {
		if !utf8.ValidString(part) || strings.ContainsFunc(part, func(r rune) bool { return unicode.IsControl(r) && r != '\n' || r == '\uFFFE' }) {
			t.Errorf("%.40q: the mail has a control character or broken UTF-8", text)
		}
	}
	if len(v.HTML) > MaxBytes {
		t.Errorf("%.40q: %d bytes", text, len(v.HTML))
	}
	doc, err := html.Parse(strings.NewReader(v.HTML))
	if err != nil {
		t.Fatal(err)
	}
	for node := range doc.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		if node.Data == "script" || node.Data == "b" {
			t.Errorf("%.40q: the mail has an element <%s>", text, node.Data)
		}
		for _, attr := range node.Attr {
			if strings.HasPrefix(attr.Key, "on") || strings.Contains(attr.Val, "position") && attr.Key != "alt" && !strings.HasPrefix(attr.Val, "mailto:?subject=") { // a link to share the mail has its subject
				t.Errorf("%.40q: the mail has an attribute %s=%q", text, attr.Key, attr.Val)
			}
		}
	}
	for placeholder, n := range map[string]int{v.Placeholders.Unsubscribe: 1, v.Placeholders.Address: 1, v.Placeholders.Preferences: 1} {
		if strings.Count(v.HTML, placeholder) != n || strings.Count(v.Text, placeholder) != n {
			t.Errorf("%.40q: placeholder %s stands elsewhere too", text, placeholder)
		}
	}
}

// An author could know the placeholders of a future edition only by guessing its random id, and
// would still not get another subscriber's address into the article.
func TestPlaceholdersChangeWhenContentHasThem(t *testing.T) {
	t.Parallel()
	plain := mustRender(t, sampleInput(), Preferences{})
	for _, put := range []func(*Input){
		func(in *Input) { in.Articles[0].Title += " " + plain.Placeholders.Address },
		func(in *Input) { in.Articles[0].HTML += plain.Placeholders.Unsubscribe },
		func(in *Input) { in.Articles[0].Authors[0].Name = plain.Placeholders.Web },
		func(in *Input) { in.Articles[0].Image.Alt = plain.Placeholders.Web },
		func(in *Input) { in.Articles[0].Tags[0] = plain.Placeholders.Name },
		func(in *Input) { in.Definition.Title = config.Text(plain.Placeholders.Name) },
	} {
		in := sampleInput()
		put(&in)
		v := mustRender(t, in, Preferences{})
		for i, placeholder := range v.Placeholders.All() {
			if placeholder == plain.Placeholders.All()[i] {
				t.Errorf("placeholder %s is used although the content has it", placeholder)
			}
		}
	}
}

func TestPlaceholdersAreUniqueShortWords(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, edition := range []string{"a", "b", ""} {
		for _, key := range []string{"", "l=fr", "t=sea"} {
			words := newPlaceholders(edition, key, func(string) bool { return false }).All()
			for _, word := range words {
				if seen[word] {
					t.Errorf("%s is the placeholder of two values", word)
				}
				seen[word] = true
				if strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789") != "" || len(word) > 40 {
					t.Errorf("%s is not a short word of letters and digits", word)
				}
			}
			for _, a := range words {
				for _, b := range words {
					if a != b && strings.Contains(a, b) {
						t.Errorf("%s is part of %s", b, a)
					}
				}
			}
		}
	}
}
