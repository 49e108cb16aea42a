package markup

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestMarkdownIsRendered(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"# A *title*\n":                     `<h1 id="a-title">A <em>title</em></h1>`,
		"## 港の灯台\n":                         `<h2 id="港の灯台">港の灯台</h2>`,
		"# x\n# x\n# x-1\n# !?\n# !\n":      "<h1 id=\"x\">x</h1>\n<h1 id=\"x-1\">x</h1>\n<h1 id=\"x-1-1\">x-1</h1>\n<h1 id=\"heading\">!?</h1>\n<h1 id=\"heading-1\">!</h1>",
		"# A {#own}\n# own\n":               "<h1 id=\"own\">A</h1>\n<h1 id=\"own-1\">own</h1>",
		"- [x] done\n- [ ] open\n":          "<ul>\n<li>☑ done</li>\n<li>☐ open</li>\n</ul>",
		"~~a~~ https://a.example.":          `<p><del>a</del> <a href="https://a.example">https://a.example</a>.</p>`,
		"|a|b|\n|:-|-:|\n|1|2|\n":           "<table>\n<thead>\n<tr>\n<th align=\"left\">a</th>\n<th align=\"right\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td align=\"left\">1</td>\n<td align=\"right\">2</td>\n</tr>\n</tbody>\n</table>",
		"灯台の\n前で":                           "<p>灯台の前で</p>",
		"灯台\nsea":                           "<p>灯台\nsea</p>",
		"sea,\n灯台":                          "<p>sea,\n灯台</p>",
		"한국\n사람":                            "<p>한국\n사람</p>",
		"灯台  \n前":                           "<p>灯台<br>\n前</p>",
		"**灯台。**前":                          "<p><strong>灯台。</strong>前</p>",
		"a*b*c and a_b_c":                   "<p>a<em>b</em>c and a_b_c</p>",
		"<b>raw</b> &amp; &copy; \\* `a<b`": "<p><b>raw</b> &amp; © * <code>a&lt;b</code></p>",
		"term\n: what it is\n":              "<dl>\n<dt>term</dt>\n<dd>what it is</dd>\n</dl>",
		"":                                  "",
		"\r\n\r\n":                          "",
		"line one\\\nline two":              "<p>line one<br>\nline two</p>",
		"[a]: /x\n\n[a] and [b]":            "<p><a href=\"/x\">a</a> and [b]</p>",
		"    code\n\n\ttab":                 "<pre><code>code\n\ntab\n</code></pre>",
		"```go\na := 1\n":                   "<pre><code class=\"language-go\">a := 1\n</code></pre>",
	} {
		got, err := Markdown([]byte(source))
		if err != nil || strings.TrimSpace(got) != want {
			t.Errorf("%q\n got %s, %v\nwant %s", source, got, err, want)
		}
	}
}

// TestHostileMarkdownStaysText: no text gets lost, whatever stands before it.
func TestHostileMarkdownStaysText(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"stars and underscores":  strings.Repeat("*_a_* **b ", 5000) + " the text",
		"strikes":                strings.Repeat("~~a~ ", 5000) + " the text",
		"definitions in one row": strings.Repeat("[a]: /x\n", 5000) + "\nthe text",
		"footnotes":              strings.Repeat("[^a]", 5000) + "\n\n[^a]: the text",
		"entities":               strings.Repeat("&#x41;&bad;&", 5000) + " the text",
		"NUL and broken UTF-8":   "a\x00b\xff\xfe the text",
	} {
		out, err := Markdown([]byte(source))
		if err != nil || !strings.Contains(out, "the text") || len(out) > 100*len(source)+1000 {
			t.Errorf("%s: %d bytes give %d, %v", name, len(source), len(out), err)
		}
	}
}

func TestMarkdownThatWouldGrowIsRefused(t *testing.T) {
	t.Parallel()
	wide := "|" + strings.Repeat("a|", 400) + "\n|" + strings.Repeat("-|", 400) + "\n" + strings.Repeat("|\n", 150)
	for _, test := range []struct {
		name, in string
		line     int
	}{
		{"short rows below a wide one", wide, 0},
		{"the same below a text", "one\n\ntwo\n\n" + wide, 4},
	} {
		_, err := Markdown([]byte(test.in))
		var table *TableError
		if !errors.As(err, &table) || table.Line != test.line || err.Error() != "its tables have more than 40000 cells" {
			t.Errorf("%s: %v, %+v", test.name, err, table)
		}
	}
	if _, err := Markdown([]byte(strings.Repeat("|a|b|\n|-|-|\n|1|2|\n\n", 1000))); err != nil {
		t.Errorf("a thousand small tables: %v", err)
	}
	if _, err := Markdown([]byte("[a]: /" + strings.Repeat("x", 50_000) + "\n\n" + strings.Repeat("[a]\n\n", 5000))); err == nil || err.Error() != "it would become much more HTML than there is text" {
		t.Errorf("many links to one long address: %v", err)
	}
}

func TestIdsOfHeadingsAreUnique(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	for i := range 300 {
		fmt.Fprintf(&source, "# %s\n", []string{"a", "a-1", "A!", "b {#a}", "", "…"}[i%6])
	}
	out, err := Markdown([]byte(source.String()))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, found := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(out, -1) {
		seen[found[1]]++
	}
	delete(seen, "a") // chosen by hand, as often as it is written
	for id, n := range seen {
		if n > 1 || id == "" {
			t.Errorf("the id %q stands %d times", id, n)
		}
	}
	if len(seen) < 150 {
		t.Errorf("only %d ids", len(seen))
	}
}
