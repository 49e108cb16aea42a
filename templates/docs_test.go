package templates

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// page returns the text of docs/templates.md.
func page(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../docs/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPageNamesEveryFieldAndFunction(t *testing.T) {
	t.Parallel()
	text := page(t)
	for _, typ := range dataTypes {
		for _, field := range fieldsOf(typ.Name()) {
			if !regexp.MustCompile("[`.A-Za-z ]" + regexp.QuoteMeta(field) + `\b`).MatchString(text) {
				t.Errorf("docs/templates.md does not name %s of %s", field, typ.Name())
			}
		}
	}
	for name := range textFuncs {
		if !strings.Contains(text, "`"+name+" ") {
			t.Errorf("docs/templates.md does not name the function %s", name)
		}
	}
	for name := range subjectAllowed {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/templates.md does not name %s for subjects", name)
		}
	}
}

// TestPageNamesNoOtherField: a name on the page that does not exist in the code would mislead.
func TestPageNamesNoOtherField(t *testing.T) {
	t.Parallel()
	known := map[string]bool{".IsZero": true}
	for _, typ := range dataTypes {
		for _, field := range fieldsOf(typ.Name()) {
			known[field] = true
		}
	}
	for _, code := range regexp.MustCompile("`[^`\n]+`").FindAllString(page(t), -1) {
		for _, field := range regexp.MustCompile(`\.[A-Z]\w+`).FindAllString(code, -1) {
			if !known[field] {
				t.Errorf("docs/templates.md names %s in %s, which is not a field", field, code)
			}
		}
	}
}

func TestExamplesOnThePageWork(t *testing.T) {
	t.Parallel()
	blocks := regexp.MustCompile("(?s)```(?:html)?\n(.*?)```").FindAllStringSubmatch(page(t), -1)
	var html, text string
	for _, block := range blocks {
		switch {
		case strings.Contains(block[1], "<html"):
			html = block[1]
		case strings.Contains(block[1], "{{underline"):
			text = block[1]
		}
	}
	set, err := Load(folder(t, map[string]string{"mail/plain.html": html, "mail/plain.txt": text}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := set.Mail("plain"); err != nil {
		t.Error(err)
	}
	subjects := regexp.MustCompile(`(?m)^subject: "(.*)"$`).FindAllStringSubmatch(page(t), -1)
	if len(subjects) < 3 {
		t.Errorf("found %d subjects", len(subjects))
	}
	for _, subject := range subjects {
		if _, err := ParseSubject(subject[1]); err != nil {
			t.Errorf("%s: %v", subject[1], err)
		}
	}
}
