package markup

import (
	"encoding/xml"
	"io"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// tags are what random HTML is made of.
var fragments = []string{
	"text ", "é ", "&amp;", "&lt;", "&#0;", "&#x3c;", "&quot", "<", ">", "\"", "'", "\x00", "\xff", "\r", "\n",
	"<p>", "</p>", "<b>", "</b>", "<i>", "</i>", "<a href='/x'>", "<a href=javascript:x>", "<a href=\" java\tscript:x\">", "</a>", "<table>", "<tr>", "<td>", "</table>", "<ul>", "<li>", "</ul>", "<pre>", "</pre>", "<pre>\n\n",
	"<script>", "</script>", "<style>", "</style>", "<svg>", "</svg>", "<math>", "</math>", "<mtext>", "<annotation-xml encoding='text/html'>", "<foreignObject>", "<title>", "</title>", "<textarea>", "</textarea>", "<noscript>", "</noscript>",
	"<template>", "</template>", "<select>", "<option>", "</select>", "<form>", "</form>", "<plaintext>", "<xmp>", "</xmp>", "<!--", "-->", "<!-->", "--!>", "<![CDATA[", "]]>", "<?pi ?>", "<!doctype html>",
	"<img src=x onerror=y>", "<img alt='a\"b' src=data:text/html,x>", "<img src=data:image/png;base64,AAAA>", "<img width=1 height=1 src=t>", "<iframe src=https://v.example/1>", "</iframe>", "<video poster=javascript:x>", "<source srcset='a 1x'>",
	"<p style=x:expression(y)>", "<p lang='a\" onclick=\"x'>", "<p id=\"a'b\">", "<p title='</p><script>'>", "<h1 onclick=x>", "<br/>", "<hr", "<details open>", "<ruby>", "<rt>", "<dl>", "<dt>", "<blockquote cite=javascript:x>", "<col span=9>",
}

func randomHTML(random *rand.Rand) string {
	var out strings.Builder
	for range random.IntN(25) {
		out.WriteString(fragments[random.IntN(len(fragments))])
	}
	return out.String()
}

// checkSafe reports what a browser could run in sanitized HTML.
func checkSafe(t *testing.T, source, clean string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(clean))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.CommentToken, html.DoctypeToken:
			t.Fatalf("%q is sanitized to %q, with a comment", source, clean)
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			switch token.Data {
			case "script", "style", "iframe", "object", "embed", "form", "input", "select", "svg", "math", "base", "meta", "link", "template", "noscript", "textarea", "title", "plaintext", "xmp":
				t.Fatalf("%q is sanitized to %q, with <%s>", source, clean, token.Data)
			}
			for _, a := range token.Attr {
				value := strings.ToLower(strings.Map(func(r rune) rune {
					if r <= ' ' {
						return -1
					}
					return r
				}, a.Val))
				link := a.Key == "href" || a.Key == "src" || a.Key == "poster" || a.Key == "cite"
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || link && (strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "data:text")) {
					t.Fatalf("%q is sanitized to %q, with %s=%q", source, clean, a.Key, a.Val)
				}
			}
		}
	}
}

// checkWellFormed reads sanitized HTML as XML, which feeds with XHTML content are.
func checkWellFormed(t *testing.T, source, clean string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader("<div>" + clean + "</div>"))
	d.Entity = xml.HTMLEntity
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%q is sanitized to %q, which is not well-formed: %v", source, clean, err)
		}
	}
}

func TestAnyHTMLIsMadeSafeOnce(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(6, 6))
	for range 300 {
		source := randomHTML(random)
		clean := Sanitize(source, nil)
		checkSafe(t, source, clean)
		checkWellFormed(t, source, clean)
		if again := Sanitize(clean, nil); again != clean {
			t.Fatalf("%q is sanitized to\n%q, and that to\n%q", source, clean, again)
		}
	}
}

func TestEveryLinkIsResolvedOnce(t *testing.T) {
	t.Parallel()
	asked := map[string]int{}
	resolve := func(link string) string {
		asked[link]++
		switch link {
		case "drop":
			return ""
		case "bad":
			return "javascript:alert(1)"
		}
		return "https://new.example/" + link
	}
	for source, want := range map[string]string{
		`<a href="one">x</a>`:                                 `<a href="https://new.example/one">x</a>`,
		`<a href="drop">x</a>`:                                `x`,
		`<a href="bad">x</a>`:                                 `x`,
		`<img src="drop" alt="the harbour">`:                  `the harbour`,
		`<img src="two" srcset="three 1x, four 2x">`:          `<img src="https://new.example/two" srcset="https://new.example/three 1x, https://new.example/four 2x"/>`,
		`<video src="five" poster="six"></video>`:             `<video src="https://new.example/five" poster="https://new.example/six"></video>`,
		`<blockquote cite="seven">q</blockquote>`:             `<blockquote cite="https://new.example/seven">q</blockquote>`,
		`<a href=" eight` + "\n" + `">x</a>`:                  `<a href="https://new.example/eight">x</a>`,
		`<p><a href="nine">a</p><p>b</a></p>`:                 `<p><a href="https://new.example/nine">a</a></p><p><a href="https://new.example/nine">b</a></p>`,
		`<img data-src="ten" src="data:image/gif;base64,AA">`: `<img src="https://new.example/ten"/>`,
	} {
		if got := Sanitize(source, resolve); got != want {
			t.Errorf("%s\n got %s\nwant %s", source, got, want)
		}
	}
	for link := range asked {
		if strings.HasPrefix(link, "https://new.example/") {
			t.Errorf("the new link %s was resolved again", link)
		}
	}
}

// TestLazyPicturesAndFramesAreShown: without scripts, readers would see placeholders.
func TestLazyPicturesAndFramesAreShown(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`<img src="spin.gif" data-src="a.jpg">`:                                          `<img src="a.jpg"/>`,
		`<img data-lazy-src=" a.jpg " alt="x">`:                                          `<img alt="x" src="a.jpg"/>`,
		`<img data-src='{"a":1}' src="b.jpg">`:                                           `<img src="b.jpg"/>`,
		`<img src="b.jpg" data-src="javascript:x" alt="b">`:                              `b`,
		`<img src="a.jpg" data-srcset="b.jpg 2x">`:                                       `<img src="a.jpg" srcset="b.jpg 2x"/>`,
		`<img src="a.jpg" srcset="data:image/gif;base64,AA 1x">`:                         `<img src="a.jpg"/>`,
		`<img data-src="a.jpg"><noscript><img src="a.jpg"></noscript>`:                   `<img src="a.jpg"/>`,
		`<noscript><img src="a.jpg"></noscript>`:                                         `<img src="a.jpg"/>`,
		`<noscript><img src="a.jpg"></noscript><img src="a.jpg">`:                        `<img src="a.jpg"/><img src="a.jpg"/>`,
		`<iframe src="//v.example/1"></iframe>`:                                          `<p><a href="https://v.example/1">v.example/1</a></p>`,
		`<iframe src="https://v.example/1" width="0px"></iframe>`:                        ``,
		`<iframe src="/local"></iframe>`:                                                 ``,
		`<iframe src="https://v.example/&quot;><script>"></iframe>`:                      `<p><a href="https://v.example/%22%3E%3Cscript%3E">v.example/&#34;&gt;&lt;script&gt;</a></p>`,
		`<picture><source data-srcset="a.webp"><img src="b.gif" data-src="a.jpg">`:       `<picture><source srcset="a.webp"/><img src="a.jpg"/></picture>`,
		`<img width="1" height="1" src="t.gif"><img width="1" height="100" src="b.gif">`: `<img width="1" height="100" src="b.gif"/>`,
	} {
		if got := Sanitize(source, nil); got != want {
			t.Errorf("%s\n got %s\nwant %s", source, got, want)
		}
	}
}

func TestHTMLThatIsCostlyToParseIsReducedToItsText(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"nested 100,000 deep": strings.Repeat("<div>", 100_000) + "the text",
		"nested and closed":   strings.Repeat("<b>", 20_000) + "the text" + strings.Repeat("</b>", 20_000),
		"formatting in rows":  strings.Repeat("<p><b><i><u>", 20_000) + "the text",
	} {
		got := Sanitize(source, nil)
		if !strings.Contains(got, "the text") || len(got) > 1<<20 {
			t.Errorf("%s: %d bytes: %.100s", name, len(got), got)
		}
		if again := Sanitize(got, nil); again != got {
			t.Errorf("%s: sanitized again it is %.100s", name, again)
		}
	}
}

func TestLinksAreEncodedAsBrowsersDo(t *testing.T) {
	t.Parallel()
	for link, want := range map[string]string{
		"https://a.example/x":          "https://a.example/x",
		" https://a.example/x\n":       "https://a.example/x",
		"https://a.example/a b":        "https://a.example/a%20b",
		"https://a.example/100%":       "https://a.example/100%25",
		"https://a.example/%zz%41":     "https://a.example/%25zz%41",
		`https:\\a.example\x`:          "https://a.example/x",
		"HTTPS:a.example/x":            "https://a.example/x",
		"http:////a.example/x":         "http://a.example/x",
		`https://a.example/?q=a\b`:     "https://a.example/?q=a%5Cb",
		"https://a.example/?q={x}|^`":  "https://a.example/?q=%7Bx%7D%7C%5E%60",
		"https://a.exa\tmple/\r\nx":    "https://a.example/x",
		"mailto:a b@c.example":         "mailto:a%20b@c.example",
		`mailto:a\b@c.example`:         "mailto:a%5Cb@c.example",
		"https://a b.example/x":        "https://a b.example/x",
		"/a\\b":                        "/a/b",
		"#é":                           "#é",
		"":                             "",
		"\x00 \x01":                    "",
		"//a.example/<x>":              "//a.example/%3Cx%3E",
		"javascript:alert('a b')":      "javascript:alert('a%20b')",
		"https://u:p@a.example/\"x\"?": "https://u:p@a.example/%22x%22?",
	} {
		got := EncodeLink(link)
		if got != want {
			t.Errorf("%q is %q, want %q", link, got, want)
		}
		if again := EncodeLink(got); again != got {
			t.Errorf("%q is %q, and that is %q", link, got, again)
		}
	}
	random := rand.New(rand.NewPCG(7, 7))
	signs := []string{"a", "/", "\\", "%", "%41", "?", "#", " ", "é", "<", "{", "\n", ":", "@", "&", "\"", "[", "]"}
	for range 300 {
		link := "https://a.example/"
		for range random.IntN(12) {
			link += signs[random.IntN(len(signs))]
		}
		encoded := EncodeLink(link)
		if u, err := url.Parse(encoded); err != nil || u.Host != "a.example" || EncodeLink(encoded) != encoded || !IsWeb(u) {
			t.Fatalf("%q is encoded as %q: %v", link, encoded, err)
		}
	}
}
