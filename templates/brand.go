package templates

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Brand is how the mails of a publication look. Its zero value is the built-in look.
type Brand struct {
	Logo        *Image // shown in place of the icon and the title; may be nil
	Header      *Image // as wide as the column, above the title; may be nil
	Light, Dark Colors // what is empty has a default, or is made from the other scheme
	HeadingFont string // a list of font families, such as "Georgia, serif"; empty for the built-in one
	TextFont    string
	Social      []Profile     // links in the footer
	Footer      template.HTML // sanitized; may be empty
	FooterText  string        // the same as text
	Imprint     string        // URL of the page that says who publishes the mails; may be empty
	Person      Person        // who signs the letters
}

// Profile is a page of the publication elsewhere.
type Profile struct {
	Name string // such as "Mastodon"
	URL  string
}

// Person is who writes and signs a letter. All fields may be empty.
type Person struct {
	Name      string
	Role      string
	Portrait  *Image
	Signature *Image
}

// Colors are the colors of a mail in one color scheme, as #rrggbb.
type Colors struct {
	Accent     string // links, buttons and the band at the top
	OnAccent   string // text on Accent
	Ink        string // text
	Soft       string // secondary text
	Line       string // rules between articles
	Background string // behind the column
	Content    string // the column
	Tint       string // panels in the column
}

// The built-in colors. Every text has a contrast of at least 4.5 to what is behind it (WCAG 2.2, 1.4.3).
var (
	lightColors = Colors{Accent: "#0f5c56", OnAccent: "#ffffff", Ink: "#1c1b19", Soft: "#67625a", Line: "#e0dace", Background: "#f3f0ea", Content: "#ffffff", Tint: "#f7f5f0"}
	darkColors  = Colors{Accent: "#7fd1c6", OnAccent: "#0d1f1c", Ink: "#f2efe9", Soft: "#aaa59b", Line: "#363c3a", Background: "#101312", Content: "#1a1e1d", Tint: "#232827"}
)

// MinContrast is the lowest contrast of text to its background (WCAG 2.2, 1.4.3).
const MinContrast = 4.5

// Light returns the colors of the light scheme.
func (p Page) Light() Colors {
	return p.Site.Brand.Light.complete(lightColors).withReadableAccent()
}

// Dark returns the colors of the dark scheme. An accent that is set for the light scheme only is used
// here too.
func (p Page) Dark() Colors {
	dark := p.Site.Brand.Dark
	dark.Accent = orDefault(dark.Accent, orDefault(p.Site.Brand.Light.Accent, darkColors.Accent))
	return dark.complete(darkColors).withReadableAccent()
}

// withReadableAccent makes an accent darker or lighter until links can be read on the content and on
// panels.
func (c Colors) withReadableAccent() Colors {
	readable := ReadableOn(c.Accent, c.Content, c.Tint)
	if readable == c.Accent {
		return c
	}
	c.Accent = readable
	c.OnAccent = textOn(c.Accent)
	return c
}

// ReadableOn returns a color for text on some grounds: the given one, made darker or lighter until its
// contrast to all of them is at least MinContrast.
func ReadableOn(color string, grounds ...string) string {
	lowest := func(color string) float64 {
		least := math.Inf(1)
		for _, ground := range grounds {
			least = min(least, Contrast(color, ground))
		}
		return least
	}
	from, _ := parseColor(color)
	toward, _ := parseColor(textOn(grounds[0]))
	const steps = 20
	for i := 1; i <= steps && lowest(color) < MinContrast; i++ {
		color = mix(from, toward, float64(i)/steps)
	}
	return color
}

// complete fills in what is empty or no color. Text on the accent is black or white, whichever can be
// read better, unless the accent is the built-in one.
func (c Colors) complete(from Colors) Colors {
	accent := orDefault(c.Accent, from.Accent)
	on := from.OnAccent
	if accent != from.Accent {
		on = textOn(accent)
	}
	return Colors{
		Accent: accent, OnAccent: orDefault(c.OnAccent, on), Ink: orDefault(c.Ink, from.Ink), Soft: orDefault(c.Soft, from.Soft),
		Line: orDefault(c.Line, from.Line), Background: orDefault(c.Background, from.Background), Content: orDefault(c.Content, from.Content), Tint: orDefault(c.Tint, from.Tint),
	}
}

// orDefault returns a color, or another one if it is empty or not of the form #rrggbb.
func orDefault(color, other string) string {
	if _, ok := parseColor(color); ok {
		return color
	}
	return other
}

// Contrast returns the contrast of two colors of the form #rrggbb, between 1 and 21 (WCAG 2.2, relative
// luminance). It is 0 if one of them has another form.
func Contrast(a, b string) float64 {
	x, ok := parseColor(a)
	y, okY := parseColor(b)
	if !ok || !okY {
		return 0
	}
	lighter, darker := x.luminance(), y.luminance()
	if lighter < darker {
		lighter, darker = darker, lighter
	}
	return (lighter + 0.05) / (darker + 0.05)
}

// rgb is a color with channels from 0 to 1.
type rgb [3]float64

func parseColor(text string) (rgb, bool) {
	if len(text) != 7 || text[0] != '#' {
		return rgb{}, false
	}
	n, err := strconv.ParseUint(text[1:], 16, 32)
	if err != nil {
		return rgb{}, false
	}
	return rgb{float64(n>>16) / 255, float64(n>>8&255) / 255, float64(n&255) / 255}, true
}

func (c rgb) luminance() float64 {
	var linear rgb
	for i, v := range c {
		if linear[i] = v / 12.92; v > 0.04045 {
			linear[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*linear[0] + 0.7152*linear[1] + 0.0722*linear[2]
}

// mix returns a color between two others; share is how much of the second it has.
func mix(from, toward rgb, share float64) string {
	var out [3]int
	for i := range from {
		out[i] = int(math.Round(255 * (from[i] + (toward[i]-from[i])*share)))
	}
	return fmt.Sprintf("#%02x%02x%02x", out[0], out[1], out[2])
}

// textOn returns white or black, whichever can be read better on a color.
func textOn(color string) string {
	if Contrast("#ffffff", color) >= Contrast("#000000", color) {
		return "#ffffff"
	}
	return "#000000"
}

// Fonts of languages whose letters the built-in fonts do not have, before the generic family.
var (
	headingFonts = map[string]string{
		"":   "Georgia, Times New Roman, serif",
		"ar": "Geeza Pro, Noto Naskh Arabic, Times New Roman, serif",
		"ja": "Hiragino Mincho ProN, Yu Mincho, Noto Serif CJK JP, serif",
		"zh": "Songti SC, SimSun, Noto Serif CJK SC, serif",
	}
	textFonts = map[string]string{
		"":   "-apple-system, Segoe UI, Helvetica, Arial, sans-serif",
		"ar": "-apple-system, Segoe UI, Tahoma, Noto Sans Arabic, Arial, sans-serif",
		"ja": "-apple-system, Hiragino Sans, Yu Gothic, Meiryo, Noto Sans CJK JP, sans-serif",
		"zh": "-apple-system, PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif",
	}
)

// HeadingFont returns the font families of headings, for the property font-family.
func (p Page) HeadingFont() template.CSS {
	return fontFamily(p.Site.Brand.HeadingFont, headingFonts, p.Language)
}

// TextFont returns the font families of text, for the property font-family.
func (p Page) TextFont() template.CSS {
	return fontFamily(p.Site.Brand.TextFont, textFonts, p.Language)
}

// fontFamily returns the brand's families, followed by those of the language. Only characters that
// occur in names stay.
func fontFamily(own string, byLanguage map[string]string, lang string) template.CSS {
	base, _, _ := strings.Cut(lang, "-")
	families, ok := byLanguage[base]
	if !ok {
		families = byLanguage[""]
	}
	own = strings.Map(func(r rune) rune {
		if r == ' ' || r == ',' || r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, own)
	if own = strings.Trim(own, " ,"); own != "" {
		families = own + ", " + families
	}
	return template.CSS(families) //nolint:gosec // letters, digits, spaces, hyphens and commas only
}
