package ingest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"go.yaml.in/yaml/v3"
)

// TestFrontMatterThatCannotBeReadSaysWhere has what a tired person leaves behind.
func TestFrontMatterThatCannotBeReadSaysWhere(t *testing.T) {
	t.Parallel()
	deep := func(open, end string, n int) string { return strings.Repeat(open, n) + strings.Repeat(end, n) }
	for _, test := range []struct {
		name, in string
		line     int
		what     string
	}{
		{"no end", "---\ntitle: x\n\ntext", 1, "the front matter that begins here never ends"},
		{"no end, after blank lines", "\n\n---\ntitle: x\n", 3, "the front matter that begins here never ends"},
		{"another fence at its end", "+++\ntitle = 'x'\n---\ntext", 1, "the front matter that begins here never ends"},
		{"too long", "---\ntitle: x\n" + strings.Repeat("# "+strings.Repeat("x", 998)+"\n", 300) + "---\n", 1, "the front matter that begins here is longer than 256 KB"},
		{"a list", "---\n- a\n---\n", 2, "the front matter is not a list of keys and values"},
		{"a text", "---\nonly words\n---\n", 2, "the front matter is not a list of keys and values"},
		{"a merge", "---\na: &a {b: c}\n<<: *a\n---\n", 3, "merge keys (<<) are not read"},
		{"nested too deeply", "---\na: " + deep("[", "]", 40) + "\n---\n", 2, "lists and mappings are nested more than 32 deep"},
		{"too many values by aliases", "---\na: &a [" + strings.Repeat("x,", 200) + "]\nb: &b [" + strings.Repeat("*a,", 200) + "]\n---\n", 3, "there are more than 20000 values"},
		{"an alias of itself", "---\na: &a [*a]\n---\n", 2, "nested more than 32 deep"},
		{"a colon in a title", "---\ntitle: News: daily\n---\n", 2, "the front matter is not YAML: mapping values are not allowed in this context"},
		{"an unknown language", "---php\n$x\n---\n", 1, `front matter in "php" cannot be read`},
		{"TOML without quotes", "+++\ntitle = x\n+++\n", 2, "the front matter is not TOML"},
		{"a TOML key twice", "+++\na = 1\nb = 2\na = 3\n+++\n", 4, "the front matter is not TOML"},
		{"TOML with long dotted keys", "+++\n" + strings.Repeat("a.", 40) + "b = 1\n+++\n", 2, "nested more than 32 deep"},
		{"deep TOML", "+++\n\na = " + deep("[", "]", 40) + "\n+++\n", 3, "nested more than 32 deep"},
		{"JSON that ends early", `{"title": "x"`, 1, "the front matter is not JSON"},
		{"JSON with a comma too many", "{\n\"title\": \"x\",\n}\ntext", 3, "the front matter is not JSON"},
		{"deep JSON", `{"a": ` + deep("[", "]", 40) + "}", 1, "nested more than 32 deep"},
		{"long JSON", `{"a": "` + strings.Repeat("x", 300<<10) + `"}`, 1, "it is longer than 256 KB"},
		{"a script", "---js\nconst title = makeTitle();\n---\n", 2, "the front matter is a script that cannot be worked out here: title"},
		{"a script that may hide it", "---js\nconst title = 'x';\nconst draft = isDraft();\n---\n", 3, "the front matter is a script that cannot be worked out here: draft"},
		{"an object of a script", "---js\n{ title: 'x' }\n---\n", 2, "the front matter is a script that cannot be worked out here"},
	} {
		s, problem := splitFrontMatter([]byte(test.in))
		if problem == nil || problem.Line != test.line || !strings.Contains(problem.What, test.what) || problem.Fix == "" {
			t.Errorf("%s: %+v, want line %d: %s", test.name, problem, test.line, test.what)
		}
		if problem == nil {
			t.Logf("%+v", s.meta)
		}
	}
}

func TestTextThatIsNoFrontMatterStaysText(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", "\n", "plain text", "----\ntitle: x\n----\n", "--- x y\ntitle: x\n---\n", "Note: this is a text.\n\nMore.", "Warning: x\nand more\n", "{curly} text", "[link]: /x\n", "{{< shortcode >}}\n",
		"  ---\n  title: x\n  ---\n", "# Title: x\n", "http://a.example\n", "\"quoted\" text\n---\n", "key: value\n\nno title above",
	} {
		s, problem := splitFrontMatter([]byte(in))
		if problem != nil || s.found || string(s.body) != in || s.line != 1 {
			t.Errorf("%q: %+v, %v", in, s, problem)
		}
	}
}

func TestLinesOfFrontMatterAndTextAreCounted(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"yaml": "---\ntitle: x\n# note\ntags: [a]\n---\nbody", "with a mark": "\uFEFF---\ntitle: x\n\ntags: [a]\n---\nbody", "crlf": "---\r\ntitle: x\r\n\r\ntags: [a]\r\n---\r\nbody", "dots": "---\ntitle: x\n\ntags: [a]\n...\nbody",
		"toml": "+++\ntitle = 'x'\n\ntags = ['a']\n+++\nbody", "json": "{\n\"title\": \"x\",\n\n\"tags\": [\"a\"]\n}\nbody", "yaml named": "---yaml\ntitle: x\n\ntags: [a]\n--- \nbody",
		"toml between hyphens": "---toml\ntitle = 'x'\n\ntags = ['a']\n---\nbody", "json between semicolons": ";;;\n\"title\": \"x\",\n\n\"tags\": [\"a\"]\n;;;\nbody", "a script": "---js\nconst title = 'x'\n\nlet tags = ['a']; // two\n---\nbody",
	} {
		s, problem := splitFrontMatter([]byte(in))
		if problem != nil || !s.found || strings.TrimSpace(string(s.body)) != "body" {
			t.Errorf("%s: %v, body %q", name, problem, s.body)
			continue
		}
		if s.meta.values["title"] != "x" || !reflect.DeepEqual(s.meta.values["tags"], []any{"a"}) || s.meta.lines["tags"] != 4 {
			t.Errorf("%s: %v, lines %v", name, s.meta.values, s.meta.lines)
		}
		if at := s.line + strings.Count(strings.SplitN(string(s.body), "body", 2)[0], "\n"); at != 6 {
			t.Errorf("%s: the text is in line %d, want 6", name, at)
		}
	}
}

// TestFormatsOfFrontMatterHoldTheSame writes random values with the libraries of each format.
func TestFormatsOfFrontMatterHoldTheSame(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(9, 9))
	texts := []string{"x", "", "a: b", "#x", "é", "日本", `"q"`, "'s", "a\\b", "true", "no", "null", "2026-11-23", "3.10", "- a", "[a]", "{b}", "line\nbreak", "tab\there", " space ", "@x", "*y", "%z", "---", "+++", "👍", "\u2028"}
	text := func() string { return texts[random.IntN(len(texts))] }
	for range 300 {
		values := map[string]any{"title": text(), "Summary": text()}
		for i := range random.IntN(4) {
			values[fmt.Sprint("k", i)] = []any{text(), text(), map[string]any{"a": text()}}[random.IntN(3)]
		}
		list := []any{}
		for range random.IntN(4) {
			list = append(list, text())
		}
		values["tags"] = list
		want := map[string]any{}
		for key, value := range values {
			want[strings.ToLower(key)] = value
		}
		asYAML, err1 := yaml.Marshal(values)
		asTOML, err2 := toml.Marshal(values)
		asJSON, err3 := json.MarshalIndent(values, "", " ")
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		for format, in := range map[string]string{"YAML": "---\n" + string(asYAML) + "---\nbody", "TOML": "+++\n" + string(asTOML) + "+++\nbody", "JSON": string(asJSON) + "\nbody"} {
			s, problem := splitFrontMatter([]byte(in))
			if problem != nil || !reflect.DeepEqual(s.meta.values, want) || strings.TrimSpace(string(s.body)) != "body" {
				t.Fatalf("%s\n%s\nis read as %#v, %v\nwant        %#v", format, in, s.meta.values, problem, want)
			}
		}
	}
}
