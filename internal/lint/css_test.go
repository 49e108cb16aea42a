package lint

import (
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/digest"
)

// TestColorsAreRead has colors as CSS writes them (CSS Color 4, sections 4 to 6). What is not understood
// must not count as black: it would have a wrong contrast.
func TestColorsAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]color.NRGBA{
		"#fff": {255, 255, 255, 255}, "#1A2b3C": {0x1a, 0x2b, 0x3c, 255}, "#0008": {0, 0, 0, 0x88}, "#11223344": {0x11, 0x22, 0x33, 0x44}, " #123 ": {0x11, 0x22, 0x33, 255},
		"Red": {255, 0, 0, 255}, "lightgoldenrodyellow": {0xfa, 0xfa, 0xd2, 255}, "transparent": {},
		"rgb(1, 2, 3)": {1, 2, 3, 255}, "rgb(1 2 3)": {1, 2, 3, 255}, "RGBA(1,2,3,.5)": {1, 2, 3, 128}, "rgb(1 2 3 / 50%)": {1, 2, 3, 128}, "rgb(100%, 0%, 50%)": {255, 0, 128, 255},
		"rgb(300, -5, 2.6)": {255, 0, 3, 255}, "rgba(1,2,3,2)": {1, 2, 3, 255},
	} {
		if got, known := parseColor(text); !known || got != want {
			t.Errorf("%q is %v, %v; want %v", text, got, known, want)
		}
	}
	for _, text := range []string{"", "#", "#12", "#12345", "#1234567", "#ggg", "#-12345", "inherit", "currentcolor", "var(--x)", "hsl(1,2%,3%)", "rgb(1,2)", "rgb(1,2,3,4,5)", "rgb(a,b,c)", "rgb()", "url(#fff)", "no such"} {
		if got, known := parseColor(text); known {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

// TestContrastIsThatOfWCAG compares with the values that the examples of WCAG 2.2 and its techniques give.
func TestContrastIsThatOfWCAG(t *testing.T) {
	t.Parallel()
	for pair, want := range map[string]float64{"#000 #fff": 21, "#fff #fff": 1, "#767676 #ffffff": 4.54, "#777777 #ffffff": 4.48, "#ff0000 #ffffff": 4.00, "#0000ff #ffffff": 8.59, "#949494 #fff": 3.03} {
		a, b, _ := strings.Cut(pair, " ")
		one, _ := parseColor(a)
		other, _ := parseColor(b)
		if got := contrast(one, other); math.Abs(got-want) > 0.006 || contrast(other, one) != got {
			t.Errorf("%s: %.3f, want %.2f in both orders", pair, got, want)
		}
	}
	for text, want := range map[string]string{"#000000": "#000000", "#00000080": "#7f7f7f", "#ff000000": "#ffffff", "#ff0000cc": "#ff3333"} {
		c, _ := parseColor(text)
		if got := hexOf(over(c, color.NRGBA{255, 255, 255, 255})); got != want {
			t.Errorf("%s on white is %s, want %s", text, got, want)
		}
	}
}

// write returns rules in one line, for comparison.
func write(rules []cssRule) string {
	var out []string
	for _, rule := range rules {
		var all []string
		for _, d := range rule.declarations {
			text := d.name + "=" + d.value
			if d.important {
				text += "!"
			}
			all = append(all, text)
		}
		out = append(out, strings.Join(rule.selectors, ",")+"{"+strings.Join(all, ";")+"}")
	}
	return strings.Join(out, " ")
}

// TestStyleElementsAreRead: a mistake in one rule must not hide those after it, and quotation marks,
// comments and parentheses protect what they contain (CSS Syntax 3).
func TestStyleElementsAreRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ source, base, dark string }{
		"rules":                        {"p, .a > b { Color: RED; margin:0 } h1{color:blue!important}", "p,.a > b{color=red;margin=0} h1{color=blue!}", ""},
		"important with spaces":        {"p{color:red ! important ;}", "p{color=red!}", ""},
		"comments":                     {"/* p{color:red} */ p/**/{/* x:y; */color:blue/* } */}", "p{color=blue}", ""},
		"a comment without an end":     {"p{color:red} /* a{color:blue}", "p{color=red}", ""},
		"quotation marks":              {`p{content:"a;b}c";color:red} a{b:'"}'}`, `p{content="a;b}c";color=red} a{b='"}'}`, ""},
		"an escaped quote":             {`p{content:"\"}";color:red}`, `p{content="\"}";color=red}`, ""},
		"an address":                   {"p{background:url(data:a;b,c)}", "p{background=url(data:a;b,c)}", ""},
		"dark mode":                    {"p{a:b} @media (prefers-color-scheme: dark) { p{c:d} a{e:f} } q{g:h}", "p{a=b} q{g=h}", "p{c=d} a{e=f}"},
		"dark mode, in upper case":     {"@MEDIA (PREFERS-COLOR-SCHEME:DARK){p{c:d}}", "", "p{c=d}"},
		"other media":                  {"@media print{p{a:b}} @media (prefers-color-scheme: light){p{c:d}} q{e:f}", "q{e=f}", ""},
		"rules without a block":        {`@charset "utf-8"; @import url(x.css); p{a:b}`, "p{a=b}", ""},
		"a selector with a comma":      {`a[title="x,y"],:is(b,c){d:e}`, `a[title="x,y"],:is(b,c){d=e}`, ""},
		"declarations without a colon": {"p{a;b:c;;d}", "p{b=c}", ""},
		"no end":                       {"p{a:b", "", ""},
		"one brace too many":           {"} p{a:b}", "p{a=b}", ""},
		"no selector":                  {"{a:b} p{c:d}", "p{c=d}", ""},
		"nothing":                      {"", "", ""},
	} {
		base, dark := readSheet(c.source)
		if write(base) != c.base || write(dark) != c.dark {
			t.Errorf("%s: %q and %q in dark mode, want %q and %q", name, write(base), write(dark), c.base, c.dark)
		}
	}
}

func TestFontSizesInPixels(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]float64{"12px": 12, "12pt": 16, "1.5em": 30, "2rem": 32, "50%": 10, "0": 0, "1 px": 1, "small": 20, "calc(1px + 1em)": 20, "px": 20, "": 20} {
		if got := fontSize(value, 20); math.Abs(got-want) > 1e-9 {
			t.Errorf("%q within 20 pixels is %v, want %v", value, got, want)
		}
	}
}

// TestPathsOfTheSite: only addresses of this site have one, not those of hosts that begin alike.
func TestPathsOfTheSite(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://a.example/x/y?q#f": "/x/y", "https://a.example": "/", "https://a.example/": "/", "https://a.example?x": "/", "https://a.example#x": "/",
		"https://a.example.org/x": "", "https://a.example:8443/x": "", "http://a.example/x": "", "/x": "", "": "", "mailto:a@a.example": "",
	} {
		for _, site := range []string{"https://a.example", "https://a.example/"} {
			c := checker{Edition: Edition{Site: digest.Site{URL: site}}}
			if got := c.ownPath(address); got != want {
				t.Errorf("%s at %s is %q, want %q", address, site, got, want)
			}
		}
	}
	for n, want := range map[int]string{1: "a", 5: "a, b, c, d, e", 6: "a, b, c, d and 2 others"} {
		if got := some([]string{"a", "b", "c", "d", "e", "f"}[:n]).String(); got != want {
			t.Errorf("%d mail programs are listed as %q, want %q", n, got, want)
		}
	}
}
