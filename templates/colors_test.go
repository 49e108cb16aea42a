package templates

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestEveryColorCanBeMadeReadable on any ground: black or white has a contrast of at least 4.58 to each.
func TestEveryColorCanBeMadeReadable(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 5))
	random := func() string { return fmt.Sprintf("#%06x", rng.IntN(1<<24)) }
	grounds := []string{"#767676", "#777777", "#757575", "#000000", "#ffffff", "#747474", "#2f8f2f"}
	for range 3000 {
		grounds = append(grounds, random())
	}
	for _, ground := range grounds {
		color := random()
		got := ReadableOn(color, ground)
		if Contrast(got, ground) < MinContrast {
			t.Fatalf("%s on %s became %s, with a contrast of %.2f", color, ground, got, Contrast(got, ground))
		}
		if Contrast(color, ground) >= MinContrast && got != color {
			t.Fatalf("%s can be read on %s and became %s", color, ground, got)
		}
	}
	if got := ReadableOn("#888888", "#ffffff", "#cccccc"); Contrast(got, "#ffffff") < MinContrast || Contrast(got, "#cccccc") < MinContrast {
		t.Errorf("on two grounds: %s", got)
	}
}

// TestBuiltInAccentIsReadableOnOtherContent: a brand may set the column only.
func TestBuiltInAccentIsReadableOnOtherContent(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"#0f5c56", "#7fd1c6", "#101010", "#fdfdfd", "#777777"} {
		brand := Brand{Light: Colors{Content: content, Tint: content}, Dark: Colors{Content: content, Tint: content}}
		page := Page{Site: Site{Brand: brand}}
		for scheme, c := range map[string]Colors{"light": page.Light(), "dark": page.Dark()} {
			if Contrast(c.Accent, content) < MinContrast || Contrast(c.OnAccent, c.Accent) < MinContrast {
				t.Errorf("%s on %s: the accent %s has a contrast of %.2f, and the text on it %.2f", scheme, content, c.Accent, Contrast(c.Accent, content), Contrast(c.OnAccent, c.Accent))
			}
		}
	}
}

func TestColorsOfABrandAreCompleted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ brand, want Colors }{
		"nothing":             {Colors{}, lightColors},
		"text on a dark one":  {Colors{Accent: "#123456"}, with(lightColors, func(c *Colors) { c.Accent, c.OnAccent = "#123456", "#ffffff" })},
		"text on a light one": {Colors{Accent: "#ffee00"}, with(lightColors, func(c *Colors) { c.Accent, c.OnAccent = "#ffee00", "#000000" })},
		"its own text":        {Colors{Accent: "#123456", OnAccent: "#eeeeee"}, with(lightColors, func(c *Colors) { c.Accent, c.OnAccent = "#123456", "#eeeeee" })},
		"no colors":           {Colors{Accent: "red", Ink: "#12", Soft: "#gggggg", Line: "#12345678", Tint: "#+12345"}, lightColors},
		"only the ink":        {Colors{Ink: "#000000"}, with(lightColors, func(c *Colors) { c.Ink = "#000000" })},
	} {
		if got := c.brand.complete(lightColors); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	page := Page{Site: Site{Brand: Brand{Light: Colors{Accent: "#ffcc00"}}}}
	if page.Dark().Accent != "#ffcc00" {
		t.Errorf("the accent of the light scheme is not used in the dark one: %s", page.Dark().Accent)
	}
}

func with(c Colors, change func(*Colors)) Colors {
	change(&c)
	return c
}

// TestConditionalCommentsAreLiftedAndRestored html/template and the inlining: Outlook reads them.
func TestConditionalCommentsAreLiftedAndRestored(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		source string
		lifted []string
		lines  int // line breaks that stay
	}{
		"for Outlook only":  {"a<!--[if mso]><table><tr><td><![endif]-->b", []string{"<!--[if mso]><table><tr><td><![endif]-->"}, 0},
		"for others":        {"<!--[if !mso]><!-->a<!--<![endif]-->", []string{"<!--[if !mso]><!-->", "<!--<![endif]-->"}, 0},
		"in several lines":  {"<!--[if mso]>\n  <v:rect>\n<![endif]-->\nb", []string{"<!--[if mso]>\n<v:rect>\n<![endif]-->"}, 3},
		"a usual comment":   {"a<!-- [if mso] -->b", nil, 0},
		"two on a line":     {"<!--[if mso]>a<![endif]-->b<!--[if mso]>c<![endif]-->", []string{"<!--[if mso]>a<![endif]-->", "<!--[if mso]>c<![endif]-->"}, 0},
		"without an end":    {"<!--[if mso]>a", nil, 0},
		"an action outside": {"<!--[if mso]>a<![endif]-->{{.Title}}", []string{"<!--[if mso]>a<![endif]-->"}, 0},
	} {
		var lifted []string
		got, err := liftConditionals("x.html", c.source, &lifted)
		if err != nil || fmt.Sprintf("%q", lifted) != fmt.Sprintf("%q", c.lifted) || strings.Count(got, "\n") != c.lines {
			t.Errorf("%s: %q, %v, %q", name, lifted, err, got)
		}
		page := got
		for i := range lifted {
			page = strings.Replace(page, "{{conditional "+fmt.Sprint(i)+strings.Repeat("\n", strings.Count(lifted[i], "\n"))+"}}", string(conditionalPlaceholder(i)), 1)
		}
		if back := restoreConditionals(page, lifted); strings.ReplaceAll(back, "  ", "") != strings.ReplaceAll(c.source, "  ", "") {
			t.Errorf("%s: %q came back as %q", name, c.source, back)
		}
	}
	var lifted []string
	_, err := liftConditionals("x.html", "a\n<!--[if mso]>\n{{.Title}}<![endif]-->", &lifted)
	if err == nil || err.Error() != "x.html:3: an action inside a conditional comment; use plain markup only: close the comment before {{ and open another after it" {
		t.Errorf("an action inside: %v", err)
	}
}

// TestErrorsOfTemplatesNameTheField and what to write in place of it.
func TestErrorsOfTemplatesNameTheField(t *testing.T) {
	t.Parallel()
	file := func(name string) string { return "mail/" + name }
	for text, want := range map[string]string{
		`template: weekly.html:7: unexpected "}" in command`:                                                                     `mail/weekly.html:7: unexpected "}" in command`,
		`html/template:weekly.html:12:8: {{.X}} appears in an ambiguous context`:                                                 "mail/weekly.html:12: {{.X}} appears in an ambiguous context",
		`template: weekly.txt:3:5: executing "weekly.txt" at <.Titel>: can't evaluate field Titel in type templates.Publication`: "mail/weekly.txt:3: no field Titel in Publication; use one of ",
		`template: weekly.txt:3:5: executing "weekly.txt" at <.Digest>: can't evaluate field Digest in type *templates.Article`:  "mail/weekly.txt:3: no field Digest in Article; use one of ",
		`template: weekly.txt:3:5: executing "weekly.txt" at <.Phrase>: can't evaluate field Phrase in type string`:              "mail/weekly.txt:3: no field Phrase in string; use $.Phrase, if you mean the mail's own",
		`template: weekly.txt:4:2: executing "part" at <index .Articles 9>: error calling index: index out of range: 9`:          "mail/weekly.txt:4: index .Articles 9: error calling index: index out of range: 9",
		"template: something\nelse": "fallback.html: something else",
	} {
		if got := explainTemplateError(fmt.Errorf("%s", text), file, "fallback.html").Error(); !strings.HasPrefix(got, want) {
			t.Errorf("%q is explained as %q, want %q", text, got, want)
		}
	}
	if got := joinDistinct([]error{fmt.Errorf("a"), fmt.Errorf("b"), fmt.Errorf("a")}); got.Error() != "a\nb" {
		t.Errorf("%q", got)
	}
}
