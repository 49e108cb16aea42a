package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/templates"
)

func TestWrongBrandIsRefusedWithAFix(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ brand, want string }{
		{"light: {ink: '#aaaaaa'}", `:2: brand.light.ink: the contrast of ink (#aaaaaa) to content (#ffffff) is 2.3:1, and text needs 4.5:1; use for ink: "#`},
		{"light: {soft: '#999999'}", `brand.light.soft: the contrast of soft (#999999) to `},
		{"light: {content: '#222222'}", `brand.light.content: the contrast of ink (#1c1b19) to content (#222222) is 1.1:1`},
		{"dark: {ink: '#333333'}", `brand.dark.ink: the contrast of ink (#333333) to `},
		{"light: {accent: '#0f5c56', on_accent: '#336666'}", `brand.light.on_accent: the contrast of on_accent (#336666) to accent (#0f5c56) is `},
		{"light: {accent: red}", `brand.light.accent: "red" is not a color; write it as "#rrggbb"`},
		{"light: {accent: '#0a5'}", `"#0a5" is not a color; write it as "#00aa55"`},
		{"light:\n    accent: #0f5c56", `:3: brand.light.accent: the color #0f5c56 is a comment; put it in quotes: "#0f5c56"`},
		{"text_font: 'Arial; } body { display: none'", `brand.text_font: "Arial; } body { display: none" is not a list of font families`},
		{"heading_font: '\"Iowan Old Style\"'", `without quotes, such as Iowan Old Style, Georgia`},
		{"heading_font: 'url(x)'", "is not a list of font families"},
		{"heading_font: 'Georgia,, serif'", "is not a list of font families"},
		{"logo: {}", "brand.logo.url: it is missing; write the address of a picture"},
		{"logo: {url: /media/logo.svg}", "brand.logo.url: many mail programs do not show such a picture; use a PNG, JPEG or GIF"},
		{"logo: {url: 'javascript:alert(1)'}", "is not a web address"},
		{"header: {url: /h.png, width: 99999}", "brand.header.width: 99999 is out of range; use a number from 0 to 2000"},
		{"links: [{name: Mastodon, url: mastodon}]", `brand.links[0].url: "mastodon" is not a web address`},
		{"links: [{url: https://a.example}]", "brand.links[0].name: it is missing"},
		{"imprint: imprint", `brand.imprint: "imprint" is not a web address`},
		{"colour: x", "brand.colour: unknown key"},
	} {
		got := strings.Join(problemsOf(t, "brand:\n  "+test.brand+"\n"), "\n")
		if !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", test.brand, got, test.want)
		}
	}
}

func TestSuggestedColorsPassTheCheck(t *testing.T) {
	t.Parallel()
	for _, ink := range []string{"#aaaaaa", "#ffff00", "#00ff88", "#777777"} {
		for _, scheme := range []string{"light", "dark"} {
			problems := problemsOf(t, fmt.Sprintf("brand: {%s: {ink: %q}}", scheme, ink))
			if len(problems) == 0 {
				continue
			}
			_, better, _ := strings.Cut(problems[0], "use for ink: ")
			if again := problemsOf(t, fmt.Sprintf("brand: {%s: {ink: %s}}", scheme, better)); len(again) > 0 {
				t.Errorf("%s in %s: %s is suggested, and refused: %q", ink, scheme, better, again)
			}
		}
	}
}

func TestUnreadableAccentGivesWarning(t *testing.T) {
	t.Parallel()
	const want = "its contrast to the column is 1.7:1, and links need 4.5:1; mails show #"
	for content, warned := range map[string]bool{
		"brand: {light: {accent: '#ffaaaa'}}":                           true,
		"brand: {light: {accent: '#FFAAAA'}}":                           true,
		"brand: {light: {accent: '#1d4e89'}}":                           false,
		"brand: {light: {accent: '#1D4E89'}}":                           false,
		"brand: {dark: {accent: '#ffaaaa'}}":                            false,
		"brand: {light: {heading_font: x}}\nsite: {title: no brand}\n#": false,
	} {
		c, err := Parse([]byte(content), "c.yaml")
		if err != nil {
			continue
		}
		found := ""
		for _, p := range c.SettingWarnings() {
			if strings.HasPrefix(p.Key, "brand.") {
				found = p.Error()
			}
		}
		if warned != strings.Contains(found, want) {
			t.Errorf("%s: warning %q", content, found)
		}
		if _, better, _ := strings.Cut(found, `use instead: "`); warned && templates.Contrast(strings.TrimSuffix(better, `"`), "#ffffff") < templates.MinContrast {
			t.Errorf("%s: %q cannot be read either", content, better)
		}
	}
}

func TestBrandChangesTheFingerprint(t *testing.T) {
	t.Parallel()
	plain, branded := parsed(t, ""), parsed(t, "brand: {light: {accent: '#1d4e89'}, text_font: 'Avenir Next', footer: {en: Printed., fr: Imprimé.}}")
	if plain.SharedHash() == branded.SharedHash() {
		t.Error("a brand gives the same fingerprint")
	}
}
