package plaintext

import (
	"strings"
	"testing"
)

// TestBlocksInsideALinkKeepTheOrder: cards of newsletters are links around headings, images and paragraphs.
func TestBlocksInsideALinkKeepTheOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ source, want string }{
		"text before a block":     {`<div>Read <a href="https://e.example/x"><p>the article</p></a> now</div>`, "Read\n\nthe article\n\n<https://e.example/x> now"},
		"a card":                  {`<a href="https://e.example/x"><h2>Title</h2><p>Summary</p></a><p>next</p>`, "Title\n-----\n\nSummary\n\n<https://e.example/x>\n\nnext"},
		"text after the block":    {`<div>a <a href="https://e.example/x"><p>b</p>c</a> d</div>`, "a\n\nb\n\nc <https://e.example/x> d"},
		"a list":                  {`<div>a <a href="https://e.example/x"><ul><li>b</li></ul></a></div>`, "a\n\n* b\n\n<https://e.example/x>"},
		"an inner link to a note": {`<div>a <a href="#x"><p>b</p></a> c</div>`, "a\n\nb\n\nc"},
		"no block":                {`<p>a <a href="https://e.example/x">b <b>c</b></a> d</p>`, "a b c <https://e.example/x> d"},
		"two links":               {`<p><a href="https://e.example/x">a</a> <a href="https://e.example/y">b</a></p>`, "a <https://e.example/x> b <https://e.example/y>"},
		"the address as text":     {`<p>a <a href="https://e.example/x"> https://e.example/x </a> b</p>`, "a https://e.example/x b"},
	} {
		if got, err := FromHTML(c.source); err != nil || got != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, c.want)
		}
	}
}

// TestNumbersOfListItems follow start, value and reversed as browsers do (HTML, section 4.4.5).
func TestNumbersOfListItems(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"<ol><li>a</li><li>b</li></ol>":                                         "1. a 2. b",
		`<ol start="0"><li>a</li><li>b</li></ol>`:                               "0. a 1. b",
		`<ol start="-1"><li>a</li><li>b</li></ol>`:                              "-1. a 0. b",
		`<ol start="x"><li>a</li></ol>`:                                         "1. a",
		`<ol><li>a</li><li value="5">b</li><li>c</li></ol>`:                     "1. a 5. b 6. c",
		`<ol reversed><li>a</li><li>b</li><li>c</li></ol>`:                      "3. a 2. b 1. c",
		`<ol reversed start="10"><li>a</li><li value="7">b</li><li>c</li></ol>`: "10. a 7. b 6. c",
		`<ul><li value="5">a</li></ul>`:                                         "* a",
	} {
		got, err := FromHTML(source)
		if got = strings.ReplaceAll(got, "\n", " "); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", source, got, err, want)
		}
	}
}

// TestTablesOfAnyShape: rows may have different lengths, cells may have lines, and headings may stand at the
// side.
func TestTablesOfAnyShape(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ source, want string }{
		"rows of different lengths": {"<table><tr><td>a</td></tr><tr><td>bb</td><td>c</td></tr></table>", "a\nbb  c"},
		"a caption":                 {"<table><caption>Tides</caption><tr><td>a</td></tr></table>", "Tides\n\na"},
		"lines in a cell":           {"<table><tr><td>a<br>b</td><td><p>c</p><p>d</p></td></tr></table>", "a b  c d"},
		"headings at the side":      {"<table><tr><th>a</th><td>b</td></tr><tr><th>c</th><td>d</td></tr></table>", "a  b\nc  d"},
		"a table in a cell":         {"<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td><td>c</td></tr></table>", "a b  c"},
		"no rows":                   {"<p>x</p><table></table>", "x"},
		"empty rows":                {"<table><tr></tr><tr><td>a</td></tr></table>", "a"},
		"wide, without headings":    {"<table><tr><td>" + strings.Repeat("a", 40) + "</td><td>" + strings.Repeat("b", 40) + "</td></tr></table>", strings.Repeat("a", 40) + "\n" + strings.Repeat("b", 40)},
		"in a quote":                {"<blockquote><table><tr><td>a</td><td>b</td></tr></table></blockquote>", "> a  b"},
	} {
		if got, err := FromHTML(c.source); err != nil || got != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, c.want)
		}
	}
}
