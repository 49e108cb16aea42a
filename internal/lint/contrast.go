package lint

import (
	"fmt"
	"image/color"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/tidings-press/tidings/internal/words"
)

// The smallest contrast of text (WCAG 2.2, 1.4.3). Text is large from 24 pixels on, or from 18.66
// when it is bold.
const (
	minContrast      = 4.5
	minContrastLarge = 3
	largeText        = 24
	largeBoldText    = 18.66
)

// scheme is a color scheme of mail programs.
type scheme struct {
	rule             string // name of its findings
	dark             bool
	text, link, page color.NRGBA // without any style
}

var (
	lightScheme = scheme{"contrast-light", false, color.NRGBA{0, 0, 0, 255}, color.NRGBA{0, 0, 238, 255}, color.NRGBA{255, 255, 255, 255}}
	darkScheme  = scheme{"contrast-dark", true, color.NRGBA{255, 255, 255, 255}, color.NRGBA{158, 158, 255, 255}, color.NRGBA{18, 18, 18, 255}}
)

// contrast checks the colors of all text, in dark mode only if the template has rules for it:
// otherwise mail programs choose the colors.
func (c *checker) contrast(v *Variant, d *document) {
	c.colors(v, d, lightScheme, d.base)
	if len(d.dark) > 0 {
		c.colors(v, d, darkScheme, slices.Concat(d.base, d.dark))
	}
}

func (c *checker) colors(v *Variant, d *document, s scheme, rules []cssRule) {
	p := painter{document: d, scheme: s, rules: d.matched(rules), texts: map[pair][]string{}}
	p.walk(d.root.Nodes[0], style{color: s.text, background: s.page, size: 16})
	for _, found := range p.order {
		texts := p.texts[found]
		text := words.T("“{0}”", excerpt(texts[0]))
		if more := len(texts) - 1; more > 0 {
			text = words.T("{0} and {1} more", text, more)
		}
		args := []any{text, hexOf(found.color), hexOf(found.background), fmt.Sprintf("%.1f", contrast(found.color, found.background)), found.needed}
		message := words.T("in the light scheme the text {0} has the color {1} on {2}: a contrast of {3}:1, where {4}:1 is needed", args...)
		if s.dark {
			message = words.T("in the dark scheme the text {0} has the color {1} on {2}: a contrast of {3}:1, where {4}:1 is needed", args...)
		}
		c.add(s.rule, where{variant: v.Key}, message)
	}
}

// matched returns the declarations that rules of style elements give to elements.
func (d *document) matched(rules []cssRule) map[*html.Node]declarations {
	out := map[*html.Node]declarations{}
	for _, rule := range rules {
		for _, selector := range rule.selectors {
			for _, n := range d.root.Find(selector).Nodes {
				if out[n] == nil {
					out[n] = declarations{}
				}
				out[n].set(rule.declarations)
			}
		}
	}
	return out
}

// style is what an element inherits, and what is behind it.
type style struct {
	color, background color.NRGBA
	pictured          bool // a picture is the background, so its color is unknown
	size              float64
	bold              bool
	hidden            bool
}

// pair is a text color with its background.
type pair struct {
	color, background color.NRGBA
	needed            float64
}

// painter computes the colors of text in one scheme.
type painter struct {
	*document
	scheme scheme
	rules  map[*html.Node]declarations
	texts  map[pair][]string // with too little contrast
	order  []pair
}

func (p *painter) walk(n *html.Node, l style) {
	for below := n.FirstChild; below != nil; below = below.NextSibling {
		switch below.Type {
		case html.TextNode:
			if !l.hidden && !l.pictured && !unseen(n) {
				p.text(squeeze(below.Data), l)
			}
		case html.ElementNode:
			p.walk(below, p.apply(below, l))
		}
	}
}

// text checks one text. Separators such as dots between links may be faint.
func (p *painter) text(s string, l style) {
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return
	}
	found := pair{over(l.color, l.background), l.background, minContrast}
	if l.size >= largeText || l.bold && l.size >= largeBoldText {
		found.needed = minContrastLarge
	}
	if contrast(found.color, found.background) >= found.needed {
		return
	}
	if p.texts[found] == nil {
		p.order = append(p.order, found)
	}
	p.texts[found] = append(p.texts[found], s)
}

// apply returns the style inside an element.
func (p *painter) apply(n *html.Node, l style) style {
	get := func(name string) (string, bool) { return p.value(n, name) }
	switch n.DataAtom {
	case atom.A:
		if hasAttribute(n, "href") {
			l.color = p.scheme.link
		}
	case atom.B, atom.Strong, atom.Th:
		l.bold = true
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		l.size, l.bold = 16*map[atom.Atom]float64{atom.H1: 2, atom.H2: 1.5, atom.H3: 1.17, atom.H4: 1, atom.H5: 0.83, atom.H6: 0.67}[n.DataAtom], true
	}
	if background, found := parseColor(attribute(n, "bgcolor")); found && attribute(n, "bgcolor") != "" {
		l.background, l.pictured = over(background, l.background), false
	}
	if value, found := get("color"); found {
		if c, known := parseColor(value); known {
			l.color = c
		}
	}
	l = p.backdrop(n, l)
	if value, found := get("font-size"); found {
		l.size = fontSize(value, l.size)
	}
	if value, found := get("font-weight"); found {
		weight, _ := strconv.Atoi(value)
		l.bold = weight >= 700 || strings.HasPrefix(value, "bold")
	}
	display, _ := get("display")
	visibility, _ := get("visibility")
	l.hidden = l.hidden || display == "none" || visibility == "hidden" || l.size <= 2
	return l
}

// backdrop applies the background of an element.
func (p *painter) backdrop(n *html.Node, l style) style {
	if attribute(n, "background") != "" {
		l.pictured = true
	}
	for _, name := range []string{"background", "background-image", "background-color"} {
		value, found := p.value(n, name)
		switch {
		case !found:
		case strings.Contains(value, "url(") || strings.Contains(value, "gradient("):
			l.pictured = true
		default:
			for _, part := range strings.Fields(value) {
				if c, known := parseColor(part); known {
					l.background = over(c, l.background)
					l.pictured = l.pictured && c.A < 255
				}
			}
		}
	}
	return l
}

// value returns a property of an element: a rule of a style element wins over the style attribute
// only if it is important.
func (p *painter) value(n *html.Node, name string) (string, bool) {
	inline, found := p.style(n)[name]
	if rule, matched := p.rules[n][name]; matched && (!found || rule.important && !inline.important) {
		return rule.value, true
	}
	return inline.value, found
}

// fontSize returns a font size in pixels. parent is the size around the element.
func fontSize(value string, parent float64) float64 {
	for unit, pixels := range map[string]float64{"rem": 16, "px": 1, "pt": 4.0 / 3, "em": parent, "%": parent / 100} {
		if text, found := strings.CutSuffix(value, unit); found {
			if size, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil {
				return size * pixels
			}
		}
	}
	if value == "0" {
		return 0
	}
	return parent
}
