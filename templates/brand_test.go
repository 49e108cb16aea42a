package templates

import (
	"strings"
	"testing"
)

func TestContrastMatchesTheDefinition(t *testing.T) {
	t.Parallel()
	for pair, want := range map[[2]string]float64{
		{"#000000", "#ffffff"}: 21, {"#ffffff", "#ffffff"}: 1, {"#767676", "#ffffff"}: 4.54, {"red", "#ffffff"}: 0, {"#ffffff", "#12345"}: 0,
	} {
		if got := Contrast(pair[0], pair[1]); got < want-0.01 || got > want+0.01 {
			t.Errorf("%v: %.2f, want %.2f", pair, got, want)
		}
	}
}

// TestColorsCanBeRead checks the built-in colors and accents that a brand may set, in both schemes.
func TestColorsCanBeRead(t *testing.T) {
	t.Parallel()
	for _, accent := range []string{"", "#1d4e89", "#000000", "#ffffff", "#ffcc00", "#ff0000", "#00ff00", "#0000ff", "#808080"} {
		page := Page{Site: Site{Brand: Brand{Light: Colors{Accent: accent}}}}
		for scheme, c := range map[string]Colors{"light": page.Light(), "dark": page.Dark()} {
			for _, pair := range [][2]string{{c.Ink, c.Content}, {c.Ink, c.Tint}, {c.Soft, c.Content}, {c.Soft, c.Tint}, {c.Soft, c.Background}, {c.OnAccent, c.Accent}, {c.Accent, c.Content}, {c.Accent, c.Tint}} {
				if Contrast(pair[0], pair[1]) < MinContrast {
					t.Errorf("accent %q, %s: %s on %s has a contrast of %.2f", accent, scheme, pair[0], pair[1], Contrast(pair[0], pair[1]))
				}
			}
		}
	}
}

func TestBrandThatIsNoColorOrFontHasNoEffect(t *testing.T) {
	t.Parallel()
	page := Page{Site: Site{Brand: Brand{Light: Colors{Accent: "red;}"}, TextFont: `Own "Font"; } body { display: none`}}}
	if page.Light() != lightColors {
		t.Errorf("%+v", page.Light())
	}
	if font := string(page.TextFont()); strings.ContainsAny(font, `;{}"`) || !strings.HasSuffix(font, ", "+textFonts[""]) {
		t.Error(font)
	}
}

func TestFontsFitTheLanguage(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]string{"ja": "Yu Gothic", "ar-EG": "Noto Sans Arabic", "de": "Segoe UI"} {
		page := Page{Language: lang}
		if font := string(page.TextFont()); !strings.Contains(font, want) {
			t.Errorf("%s: %s", lang, font)
		}
	}
}
