package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/internal/words"
	"github.com/tidings-press/tidings/templates"
)

// Brand is how mails and their web pages look.
type Brand struct {
	// Picture in place of the site's icon and title, at the top.
	Logo *Picture `yaml:"logo"`
	// Picture as wide as the column, above the title.
	Header *Picture `yaml:"header"`
	// Colors in light color schemes, each "#rrggbb" in quotes; empty ones are the built-in ones. Text needs a contrast of 4.5:1.
	Light Colors `yaml:"light"`
	// Colors in dark color schemes; an empty accent is made from the light one.
	Dark Colors `yaml:"dark"`
	// Font families of headings, such as Iowan Old Style, Georgia. The built-in ones follow as fallback.
	HeadingFont string `yaml:"heading_font"`
	// Font families of text.
	TextFont string `yaml:"text_font"`
	// Pages of the publication elsewhere, in the footer.
	Links []Link `yaml:"links"`
	// Lines in the footer: a text, or one per language.
	Footer Text `yaml:"footer"`
	// Address of the page that says who publishes the mails.
	Imprint string `yaml:"imprint"`
	// Who signs authored mails, such as those of the template letter.
	Person Signer `yaml:"person"`
}

// Picture is an image of the brand.
type Picture struct {
	// Address, or a path on this site.
	URL string `yaml:"url"`
	// What it shows, for readers without images: a text, or one per language.
	Alt Text `yaml:"alt"`
	// Width in pixels. Mail programs need it to leave the space free.
	Width int `yaml:"width"`
	// Height in pixels.
	Height int `yaml:"height"`
}

// Colors are the colors of one color scheme.
type Colors struct {
	// Links, buttons and the band at the top.
	Accent string `yaml:"accent"`
	// Text on the accent; black or white when empty.
	OnAccent string `yaml:"on_accent"`
	// Text.
	Ink string `yaml:"ink"`
	// Secondary text.
	Soft string `yaml:"soft"`
	// Rules between articles.
	Line string `yaml:"line"`
	// Behind the column.
	Background string `yaml:"background"`
	// The column.
	Content string `yaml:"content"`
	// Panels in the column.
	Tint string `yaml:"tint"`
}

// Link is a named link.
type Link struct {
	// Its text, such as Mastodon.
	Name string `yaml:"name"`
	// Address.
	URL string `yaml:"url"`
}

// Signer is a person who writes and signs mails.
type Signer struct {
	// Name of the person.
	Name string `yaml:"name"`
	// Role, such as Editor: a text, or one per language.
	Role Text `yaml:"role"`
	// Picture of the person.
	Portrait *Picture `yaml:"portrait"`
	// Picture of the signature.
	Signature *Picture `yaml:"signature"`
}

// fill puts the texts for the site's language first.
func (b *Brand) fill(site string) {
	b.Footer, b.Person.Role = b.Footer.preferring(site), b.Person.Role.preferring(site)
	for _, picture := range []*Picture{b.Logo, b.Header, b.Person.Portrait, b.Person.Signature} {
		if picture != nil {
			picture.Alt = picture.Alt.preferring(site)
		}
	}
}

const maxBrandLinks = 20

func (c *checker) brand() {
	b := &c.config.Brand
	for key, picture := range map[string]*Picture{"logo": b.Logo, "header": b.Header, "person.portrait": b.Person.Portrait, "person.signature": b.Person.Signature} {
		if picture != nil {
			c.picture("brand."+key, *picture)
		}
	}
	c.colors("brand.light", b.Light)
	c.colors("brand.dark", b.Dark)
	c.contrast("brand.light", b.Light, templates.Page{Site: templates.Site{Brand: b.colors()}}.Light())
	c.contrast("brand.dark", b.Dark, templates.Page{Site: templates.Site{Brand: b.colors()}}.Dark())
	c.fonts("brand.heading_font", b.HeadingFont)
	c.fonts("brand.text_font", b.TextFont)
	for i, link := range b.Links {
		key := fmt.Sprintf("brand.links[%d]", i)
		c.required(key+".name", link.Name, "write the text of the link, such as Mastodon")
		c.address(key+".url", link.URL)
	}
	if len(b.Links) > maxBrandLinks {
		c.wrong("brand.links", fmt.Sprintf("%d links are too many for a footer", len(b.Links)), fmt.Sprintf("use at most %d", maxBrandLinks))
	}
	c.optionalAddress("brand.imprint", b.Imprint)
}

func (c *checker) picture(key string, p Picture) {
	c.required(key+".url", p.URL, "write the address of a picture")
	c.optionalAddress(key+".url", p.URL)
	if name, _, _ := strings.Cut(strings.ToLower(p.URL), "?"); strings.HasSuffix(name, ".svg") || strings.HasSuffix(name, ".webp") || strings.HasSuffix(name, ".avif") {
		c.wrong(key+".url", "many mail programs do not show such a picture", "use a PNG, JPEG or GIF")
	}
	c.between(key+".width", p.Width, 0, 2000)
	c.between(key+".height", p.Height, 0, 2000)
}

var (
	colorPattern      = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	shortColorPattern = regexp.MustCompile(`^#[0-9a-fA-F]{3}$`)
	fontPattern       = regexp.MustCompile(`^[A-Za-z0-9-]+( [A-Za-z0-9-]+)*(, ?[A-Za-z0-9-]+( [A-Za-z0-9-]+)*)*$`)
)

// entries returns the colors by key.
func (c Colors) entries() map[string]string {
	return map[string]string{
		"accent": c.Accent, "on_accent": c.OnAccent, "ink": c.Ink, "soft": c.Soft,
		"line": c.Line, "background": c.Background, "content": c.Content, "tint": c.Tint,
	}
}

func (c *checker) colors(key string, colors Colors) {
	for name, color := range colors.entries() {
		if color == "" || colorPattern.MatchString(color) {
			continue
		}
		fix := `write it as "#rrggbb", such as "#0f5c56"`
		if shortColorPattern.MatchString(color) {
			fix = words.T("write it as {0}", fmt.Sprintf(`"#%c%c%c%c%c%c"`, color[1], color[1], color[2], color[2], color[3], color[3])).String()
		}
		c.wrong(key+"."+name, words.T("{0} is not a color", strconv.Quote(color)).String(), fix)
	}
}

// contrast refuses texts that cannot be read on what is behind them. shown has all colors as mails
// show them. A low contrast of the accent is only a warning, since mails adapt it.
func (c *checker) contrast(key string, set Colors, shown templates.Colors) {
	own, all := set.entries(), Colors(shown).entries()
	for _, name := range []string{"ink", "soft"} {
		for _, ground := range []string{"content", "tint"} {
			at := name
			if own[name] == "" {
				at = ground
			}
			if own[at] != "" { // one of the two is not built in
				c.readable(key+"."+at, name, all[name], ground, all[ground], templates.ReadableOn(all[name], shown.Content, shown.Tint))
			}
		}
	}
	if set.OnAccent != "" {
		c.readable(key+".on_accent", "on_accent", shown.OnAccent, "accent", shown.Accent, templates.ReadableOn(shown.OnAccent, shown.Accent))
	}
}

// readable refuses a text color whose contrast to what is behind it is too low. better is a color
// that would do.
func (c *checker) readable(key, name, color, ground, behind, better string) {
	ratio := templates.Contrast(color, behind)
	if ratio == 0 || ratio >= templates.MinContrast {
		return
	}
	c.wrong(key, words.T("the contrast of {0} ({1}) to {2} ({3}) is {4}:1, and text needs {5}:1", name, color, ground, behind, oneDecimal(ratio), oneDecimal(templates.MinContrast)).String(),
		words.T("use for {0}: {1}", name, strconv.Quote(better)).String())
}

func oneDecimal(n float64) string { return strconv.FormatFloat(n, 'f', 1, 64) }

// fonts checks a list of font families. Only letters, digits, spaces and hyphens are allowed, so that
// a name cannot add other CSS.
func (c *checker) fonts(key, families string) {
	if families != "" && (len(families) > 200 || !fontPattern.MatchString(families)) {
		c.wrong(key, words.T("{0} is not a list of font families", strconv.Quote(families)).String(), "write names of letters, digits, spaces and hyphens, without quotes, such as Iowan Old Style, Georgia")
	}
}

// warnBrand warns of accents that mails make darker or lighter, because they cannot be read.
func (c *Config) warnBrand(warn func(key, what, fix string)) {
	page := templates.Page{Site: templates.Site{Brand: c.Brand.colors()}}
	for key, scheme := range map[string]struct {
		set   string
		shown templates.Colors
	}{"brand.light.accent": {c.Brand.Light.Accent, page.Light()}, "brand.dark.accent": {c.Brand.Dark.Accent, page.Dark()}} {
		if scheme.set == "" || strings.EqualFold(scheme.set, scheme.shown.Accent) {
			continue
		}
		ratio := min(templates.Contrast(scheme.set, scheme.shown.Content), templates.Contrast(scheme.set, scheme.shown.Tint))
		warn(key, words.T("its contrast to the column is {0}:1, and links need {1}:1; mails show {2} in its place", oneDecimal(ratio), oneDecimal(templates.MinContrast), scheme.shown.Accent).String(),
			words.T("use instead: {0}", strconv.Quote(scheme.shown.Accent)).String())
	}
}

// colors returns the colors for templates.
func (b Brand) colors() templates.Brand {
	return templates.Brand{Light: templates.Colors(b.Light), Dark: templates.Colors(b.Dark)}
}
