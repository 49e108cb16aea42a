package config

import (
	"fmt"
	"strings"
	"testing"
)

// withFeeds returns the feeds of a file, and of the same file with a stored value that changes none of them: the
// two are decoded from a tree with merge keys and from one without.
func withFeeds(t *testing.T, in string) (file, overlaid []Feed) {
	t.Helper()
	c := parsed(t, in)
	with, err := c.With([]Stored{{Key: "site.title", Value: `"Other"`}})
	if err != nil {
		t.Fatalf("%s: with a stored value: %v", in, err)
	}
	return c.Feeds, with.Feeds
}

func TestMergedKeysGiveWayToTheMappingsOwn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"a key of its own", "feeds:\n- &a {name: a, title: A, limit: 5}\n- {<<: *a, name: b, limit: 7}\n", "a A 5 [] | b A 7 []"},
		{"the merge key last", "feeds:\n- &a {name: a, title: A, limit: 5}\n- {name: b, limit: 7, <<: *a}\n", "a A 5 [] | b A 7 []"},
		{"a mapping below is replaced, not mixed", "feeds:\n- &a {name: a, filter: {tags: [x]}}\n- {<<: *a, name: b, filter: {match: y}}\n", "a  50 [x] | b  50 []"},
		{"the first one of a list counts", "feeds:\n- &a {name: a, title: A}\n- &b {name: b, title: B, limit: 9}\n- {<<: [*a, *b], name: c}\n", "a A 50 [] | b B 9 [] | c A 9 []"},
		{"the last one of two keys counts", "feeds:\n- &a {name: a, title: A}\n- &b {name: b, title: B}\n- {<<: *a, <<: *b, name: c}\n", "a A 50 [] | b B 50 [] | c B 50 []"},
		{"a chain", "feeds:\n- &a {name: a, title: A, limit: 3}\n- &b {<<: *a, name: b, limit: 4}\n- {<<: *b, name: c}\n", "a A 3 [] | b A 4 [] | c A 4 []"},
		{"an alias for a list", "feeds:\n- {name: a, filter: {tags: &t [x, y]}}\n- {name: b, filter: {tags: *t}}\n", "a  50 [x y] | b  50 [x y]"},
		{"a mapping in place", "feeds:\n- {<<: {name: a, limit: 2}, title: A}\n", "a A 2 []"},
	} {
		show := func(feeds []Feed) string {
			var out []string
			for _, f := range feeds {
				out = append(out, fmt.Sprint(f.Name, " ", f.Title, " ", f.Limit, " ", f.Filter.Tags))
			}
			return strings.Join(out, " | ")
		}
		file, overlaid := withFeeds(t, test.in)
		if show(file) != test.want || show(overlaid) != test.want {
			t.Errorf("%s:\nthe file gives        %s\nwith a stored value   %s\nwant                  %s", test.name, show(file), show(overlaid), test.want)
		}
	}
}

func TestWrongMergesAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, want string }{
		{"site: {<<: x}", `:1: site: the value is "x"; merge a mapping, such as <<: *name`},
		{"site: {<<: [x]}", `:1: site: the value is "x"; merge a mapping`},
		{"site: {<<: [[]]}", `:1: site: the value is a list; merge a mapping`},
		{"site: &s\n  title: x\n  <<: *s", "site: it refers to itself; remove the alias"},
		{"site: &s\n  <<: [*s]", "site: it refers to itself; remove the alias"},
		{"log: {level: info}\nsite: &s\n  title: &t {en: x, <<: *t}\n", `"<<" is not a language tag`},
	} {
		if got := strings.Join(problemsOf(t, test.in), "\n"); !strings.Contains(got, test.want) {
			t.Errorf("%q: %q, want %q", test.in, got, test.want)
		}
	}
}

// TestAliasesCannotFillTheMemory has small files that stand for huge ones.
func TestAliasesCannotFillTheMemory(t *testing.T) {
	t.Parallel()
	many := func(alias string, n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(alias+",", n), ",") + "]"
	}
	const large = "the aliases make the file too large; write the values out"
	for _, test := range []struct{ name, in, want string }{
		{"lists of lists", "digests:\n- &d\n  name: w\n  sections: [&s {title: A, tag: a, filter: {tags: " + many("x", 100) + "}}, " + many("*s", 1000)[1:] + "\n- *d\n- *d\n", large},
		{"merges of merges", "site:\n  <<: &a {<<: " + many("{title: x}", 50) + "}\nlog:\n  <<: &b {<<: " + many("*a", 300) + "}\nmail:\n  <<: &c {<<: " + many("*b", 300) + "}\n", large},
		{"a list with too many items", "feeds: " + many("{name: a}", 10_001), ":1: feeds: the list has 10001 items; write at most 10000"},
	} {
		got := strings.Join(problemsOf(t, test.in), "\n")
		if !strings.Contains(got, test.want) || strings.Count(got, large) > 1 {
			t.Errorf("%s: %.600s", test.name, got)
		}
	}
	c := parsed(t, "import: {strip: &s "+many("x", 5000)+", sources: [{path: a, strip: *s}, {path: b, strip: *s}]}")
	if len(c.Import.Sources[1].Strip) != 5000 {
		t.Errorf("a long list that is used three times has %d items", len(c.Import.Sources[1].Strip))
	}
}

func TestDocumentsAreReadWithTheSameChecks(t *testing.T) {
	t.Parallel()
	type entry struct {
		Name  string `yaml:"name"`
		Count int    `yaml:"count"`
	}
	type document struct {
		Title   string   `yaml:"title"`
		Notes   Text     `yaml:"notes"`
		Tags    []string `yaml:"tags"`
		Entries []entry  `yaml:"entries"`
	}
	var into document
	read, err := ReadDocument([]byte("title: ${HOME}\ntags: go\nentries:\n- name: a\n  count: 2\n- name: b\nnotes: {en: x, fr: y}\n"), "draft.yaml", &into)
	if err != nil || into.Title != "${HOME}" || len(into.Tags) != 1 || into.Entries[0].Count != 2 || into.Notes.In("fr") != "y" {
		t.Fatalf("%v: %+v", err, into)
	}
	for key, has := range map[string]bool{"title": true, "entries[0].count": true, "entries[1].count": false, "entries[2]": false, "notes.fr": true, "": true} {
		if read.Has(key) != has {
			t.Errorf("Has(%q) is %v", key, !has)
		}
	}
	if got := read.Problem("entries[1].count", "it is missing", "add it").Error(); got != "draft.yaml:6: entries[1].count: it is missing; add it" {
		t.Errorf("a problem at a key that is not there: %s", got)
	}
	for in, want := range map[string]string{
		"titel: x":                     "draft.yaml:1: titel: unknown key; did you mean title?",
		"title: a\ntitle: b":           "draft.yaml:2: title: duplicate key, first in line 1; remove one of them",
		"- a":                          "draft.yaml:1: the value is a list; write keys below it, such as title, notes, tags",
		"entries: [{count: x}]":        `draft.yaml:1: entries[0].count: "x" is not a whole number`,
		"title: @x":                    "draft.yaml:1: found character that cannot start any token; put a value that begins with @",
		"a: 1\n---\nb: 2":              "a second document begins here",
		"entries:\n- x\n- {nmae: y}\n": "draft.yaml:2: entries[0]: the value is \"x\"; write keys below it, such as name, count\ndraft.yaml:3: entries[1].nmae: unknown key; did you mean name?",
	} {
		if _, err := ReadDocument([]byte(in), "draft.yaml", &document{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", in, err, want)
		}
	}
	empty := document{Title: "kept"}
	if read, err := ReadDocument([]byte("# nothing\n"), "draft.yaml", &empty); err != nil || empty.Title != "kept" || read.Has("title") {
		t.Errorf("an empty document: %v, %+v", err, empty)
	}
}
