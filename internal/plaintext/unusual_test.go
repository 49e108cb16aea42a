package plaintext

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
)

func fromHTML(t testing.TB, source string) string {
	t.Helper()
	text, err := FromHTML(source)
	if err != nil {
		t.Fatalf("%.100s: %v", source, err)
	}
	return text
}

func TestUnusualHTMLIsShownAsBrowsersDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ source, want string }{
		"a line break at the end of a link":   {`<p><a href="https://e.example/x">a<br></a>b</p>`, "a <https://e.example/x>\nb"},
		"line breaks inside a link":           {`<p>x <a href="https://e.example/x">a<br>b</a> c</p>`, "x a\nb <https://e.example/x> c"},
		"a line break alone in a link":        {`<p>x <a href="https://e.example/x"><br></a> c</p>`, "x <https://e.example/x> c"},
		"text in a list outside of its items": {"<ul>before<li>a</li>between<li>b</li>behind</ul>after", "before\n* a\nbetween\n* b\nbehind\n\nafter"},
		"a list in a list without an item":    {"<ul><li>a</li><ul><li>b</li></ul></ul>", "* a\n* b"},
		"an item without a list":              {"<li>a</li><p>b</p>", "a\n\nb"},
		"empty code":                          {"<pre></pre><p>x</p><pre> \n </pre>", "x"},
		"empty code in an item":               {"<ul><li><pre></pre></li><li>b</li></ul>", "* b"},
		"empty cells":                         {"<table><tr><td></td><td> </td></tr></table><p>x</p>", "x"},
		"empty headings of a table":           {"<table><tr><th></th><th></th></tr><tr><td>a</td><td>b</td></tr></table>", "a  b"},
		"a fallback for scripts":              {`<p>a</p><noscript><img src="p" alt="x"></noscript>`, "a"},
		"a footnote inside its link":          {`<p>x<a href="#fn1" class="footnote-ref"><sup>1</sup></a> y</p>`, "x[1] y"},
		"a footnote in brackets":              {`<p>x<sup><a href="#fn1">[1]</a></sup></p>`, "x[1]"},
		"a link to a chapter":                 {`<p>see <a href="#two">Chapter 2</a></p>`, "see Chapter 2"},
		"an exponent in bold":                 {"<p>x<sup><b>2</b></sup></p>", "x2"},
		"a comment":                           {"<p>a <!-- not shown --> b</p>", "a b"},
		"an empty heading":                    {"<h2> </h2><p>a</p>", "a"},
		"a heading with a link":               {`<h2><a href="#top">A</a></h2>`, "A\n-"},
		"a heading of wide letters":           {"<h2>港口</h2>", "港口\n----"},
		"a long heading":                      {"<h2>" + strings.Repeat("word ", 20) + "</h2>", strings.TrimSpace(strings.Repeat("word ", 14)) + "\n" + strings.TrimSpace(strings.Repeat("word ", 6)) + "\n" + strings.Repeat("-", 69)},
		"a heading in an item":                {"<ul><li><h3>T</h3></li></ul>", "* T\n  -"},
		"code with breaks":                    {"<pre>a<br>b\n\n  c\n\n</pre>", "a\nb\n\n  c"},
		"code in a quote":                     {"<blockquote><pre>a\n\nb</pre></blockquote>", "> a\n>\n> b"},
		"a break in a quote":                  {"<blockquote>a<br>b</blockquote>", "> a\n> b"},
		"definitions in groups":               {"<dl><div><dt>T</dt><dd>d</dd></div></dl>", "T\n  d"},
		"definitions of paragraphs":           {"<dl><dt>T</dt><dd><p>a</p><p>b</p></dd><dt>U</dt><dd>c</dd></dl>", "T\n\n  a\n\n  b\n\nU\n\n  c"},
		"a picture with its caption":          {`<figure><img alt="A  boat" src="x"><figcaption>Cap</figcaption></figure>`, "[A boat]\n\nCap"},
		"details":                             {"<details><summary>S</summary>body</details>", "S\n\nbody"},
		"an address with more":                {`<a href="mailto:a@e.example?subject=x">a@e.example</a>`, "a@e.example <mailto:a@e.example?subject=x>"},
		"two rules":                           {"<p> </p><hr><hr>", "* * *\n\n* * *"},
		"a list that starts with a list":      {"<ul><li><ul><li>a</li></ul></li></ul>", "* * a"},
		"text behind a list in an item":       {"<ol><li><ol><li>a</li></ol>b</li></ol>", "1. 1. a\n   b"},
		"a number as wide as two":             {"<ol start='99'><li>a<br>b</li><li>c<br>d</li></ol>", "99. a\n    b\n100. c\n     d"},
		"two lists":                           {"<ul><li>a</li></ul>\n<ul><li>b</li></ul>", "* a\n\n* b"},
		"unclosed elements":                   {"<ul><li>a<li><b>b<p>c", "* a\n* b\n  c"},
		"a stray end":                         {"</p></div>a</b></ul>", "a"},
		"a video":                             {`a<video src="v"><p>fallback</p></video>b`, "ab"},
		"a drawing":                           {"a<svg><text>not shown</text></svg>b", "ab"},
		"characters by number":                {"<p>&#8364;&#x1F600;&amp;lt;</p>", "€😀&lt;"},
		"hard spaces":                         {"<p>a&nbsp;&nbsp;b</p>", "a b"},
		"right columns":                       {`<table><tr><td align="right">1</td><td align="right">22</td></tr><tr><td align="right">333</td><td align="right">4</td></tr></table>`, "  1  22\n333   4"},
		"a wide table in a quote":             {"<blockquote><table><tr><th>K</th><th>V</th></tr><tr><td>" + strings.Repeat("a", 40) + "</td><td>" + strings.Repeat("b", 40) + "</td></tr></table></blockquote>", "> K: " + strings.Repeat("a", 40) + "\n> V: " + strings.Repeat("b", 40)},
		"headings only of a wide table":       {"<table><tr><th>" + strings.Repeat("a", 40) + "</th><th>" + strings.Repeat("b", 40) + "</th></tr></table>", strings.Repeat("a", 40) + "\n" + strings.Repeat("b", 40)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := fromHTML(t, c.source); got != c.want {
				t.Errorf("%q\nwant\n%q", got, c.want)
			}
		})
	}
}

// TestTextOfManyLinksTakesLinearMemory: a list of links in one paragraph is common. When the paragraph was
// copied for each link, ten thousand of them took a minute. The test is not parallel, since it measures the
// memory of the whole process.
func TestTextOfManyLinksTakesLinearMemory(t *testing.T) {
	const links = 1000
	source := "<p>" + strings.Repeat(`<a href="https://e.example/some/path">two words</a> `, links) + "</p>"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	text := fromHTML(t, source)
	runtime.ReadMemStats(&after)
	if got := strings.Count(text, "<https://e.example/some/path>"); got != links {
		t.Errorf("%d links, want %d", got, links)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > uint64(100*len(source)) { // a copy for each link was more than 500 times the text
		t.Errorf("the text of %d bytes takes %d bytes of memory", len(source), used)
	}
}

// randomHTML appends a random tree of elements to source and its words to text, in their order.
func randomHTML(random *rand.Rand, source, text *strings.Builder, depth int) {
	word := func() {
		w := fmt.Sprintf("w%d", random.IntN(1e6))
		source.WriteString(w + []string{" ", "\n", "<br>", " \t"}[random.IntN(4)])
		text.WriteString(w + " ")
	}
	elements := []string{"p", "div", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "h2", "b", "em", "section", "table", "span", "figure", "details", "mark"}
	for range 1 + random.IntN(3) {
		word()
		if depth == 0 {
			continue
		}
		switch name := elements[random.IntN(len(elements))]; name {
		case "table":
			source.WriteString("<table><tr><td>")
			randomHTML(random, source, text, depth-1)
			source.WriteString("</td><td>")
			word()
			source.WriteString("</td></tr></table>")
		default:
			source.WriteString("<" + name + ">")
			randomHTML(random, source, text, depth-1)
			source.WriteString("</" + name + ">")
		}
	}
}

func TestEveryWordIsKeptInItsOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	for range 1500 {
		var source, want strings.Builder
		randomHTML(random, &source, &want, 4)
		text := fromHTML(t, source.String())
		var got []string
		for _, word := range strings.Fields(text) {
			if strings.HasPrefix(word, "w") {
				got = append(got, word)
			}
		}
		if strings.Join(got, " ") != strings.TrimSpace(want.String()) {
			t.Fatalf("%s\nis written as\n%s\nwith the words %v, want %s", source.String(), text, got, want.String())
		}
		checkLayout(t, source.String(), text)
	}
}

// checkLayout checks what holds for the text of every document without code.
func checkLayout(t testing.TB, source, text string) {
	t.Helper()
	if strings.TrimSpace(text) != strings.Trim(text, " ") || strings.Contains(text, "\n\n\n") || strings.Contains(text, lineBreak) {
		t.Fatalf("%s\nhas empty lines at its ends or several in a row, or a mark of a break:\n%q", source, text)
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.TrimRight(line, " ") != line {
			t.Fatalf("%s\nhas a line with spaces at its end: %q", source, line)
		}
		if uniseg.StringWidth(line) > lineWidth && len(strings.Fields(line)) > 12 {
			t.Fatalf("%s\nhas a line of %d columns: %q", source, uniseg.StringWidth(line), line)
		}
	}
}

func TestDeepNestingLeavesSpaceForWords(t *testing.T) {
	t.Parallel()
	text := fromHTML(t, strings.Repeat("<blockquote>", 100)+strings.Repeat("word ", 30))
	for _, line := range strings.Split(text, "\n") {
		if words := strings.Count(line, "word"); words < 4 && words > 0 && !strings.HasSuffix(text, line) {
			t.Errorf("a line has %d words only: %q", words, line)
		}
	}
	if _, err := FromHTML(strings.Repeat("<div>", 10_000)); err == nil {
		t.Error("HTML that the parser refuses is no error")
	}
}
