package article_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
)

// oddTags are tags that an expression could confuse with its own signs.
var oddTags = []string{"go", "AND", "OR", "NOT", "(", ")", `a"b`, `a\b`, "a b", "tag:x", "has:file", "author:", "*x", "été", "日本", "c++", "'", `\"`, "lang:en", "-", "a)b"}

func randomNode(random *rand.Rand, depth int) article.Node {
	word := oddTags[random.IntN(len(oddTags))]
	if depth == 0 || random.IntN(4) == 0 {
		switch random.IntN(7) {
		case 0:
			return article.By{Key: article.AuthorKey(word)}
		case 1:
			return article.Language{Tag: []string{"", "en", "en-gb", "fr"}[random.IntN(4)]}
		case 2:
			return article.From{Key: word}
		case 3:
			return article.Word{Text: []string{"sea", "the sea", "日 本"}[random.IntN(3)]}
		case 4:
			return article.HasFile{}
		case 5:
			return article.All{}
		}
		return article.Tag{Key: article.TagKey(word)}
	}
	switch random.IntN(3) {
	case 0:
		return article.And{Left: randomNode(random, depth-1), Right: randomNode(random, depth-1)}
	case 1:
		return article.Or{Left: randomNode(random, depth-1), Right: randomNode(random, depth-1)}
	}
	return article.Not{Of: randomNode(random, depth-1)}
}

func randomArticle(random *rand.Rand) *article.Article {
	a := &article.Article{Title: []string{"The sea", "By the sea", "日本", ""}[random.IntN(4)], Language: []string{"", "en", "en-GB", "fr"}[random.IntN(4)]}
	for range random.IntN(4) {
		a.Tags = append(a.Tags, oddTags[random.IntN(len(oddTags))])
	}
	if random.IntN(2) == 0 {
		a.Authors = []article.Author{{Name: oddTags[random.IntN(len(oddTags))]}}
	}
	return a
}

func TestAnyFilterIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		filter := article.Filter{Expr: randomNode(random, 4)}
		again, err := article.ParseFilter(filter.String())
		if err != nil || again != filter {
			t.Fatalf("%#v is written as\n%s\nwhich is read as %#v, %v", filter, filter, again, err)
		}
		text, err := filter.MarshalText()
		if err != nil || string(text) != filter.String() {
			t.Fatalf("%s is encoded as %s, %v", filter, text, err)
		}
	}
}

func TestFiltersFollowTheLawsOfLogic(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 2))
	for range 300 {
		a, b, c := randomNode(random, 2), randomNode(random, 2), randomNode(random, 2)
		entry := randomArticle(random)
		matches := func(n article.Node) bool { return article.Filter{Expr: n}.Match(entry) }
		for law, pair := range map[string][2]article.Node{
			"NOT NOT":        {article.Not{Of: article.Not{Of: a}}, a},
			"De Morgan":      {article.Not{Of: article.And{Left: a, Right: b}}, article.Or{Left: article.Not{Of: a}, Right: article.Not{Of: b}}},
			"order of AND":   {article.And{Left: a, Right: b}, article.And{Left: b, Right: a}},
			"order of OR":    {article.Or{Left: a, Right: b}, article.Or{Left: b, Right: a}},
			"distribution":   {article.And{Left: a, Right: article.Or{Left: b, Right: c}}, article.Or{Left: article.And{Left: a, Right: b}, Right: article.And{Left: a, Right: c}}},
			"* AND":          {article.And{Left: article.All{}, Right: a}, a},
			"the same twice": {article.Or{Left: a, Right: a}, a},
		} {
			if matches(pair[0]) != matches(pair[1]) {
				t.Fatalf("%s: %s and %s differ for %+v", law, article.Filter{Expr: pair[0]}, article.Filter{Expr: pair[1]}, entry)
			}
		}
		left, right := article.Filter{Expr: a}, article.Filter{Expr: b}
		if left.And(right).Match(entry) != (left.Match(entry) && right.Match(entry)) {
			t.Fatalf("%s and %s together select other articles", left, right)
		}
	}
}

func TestWrittenFiltersBindAsPromised(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		"a OR b AND c":          `(tag:"a" OR (tag:"b" AND tag:"c"))`,
		"a AND b OR c":          `((tag:"a" AND tag:"b") OR tag:"c")`,
		"NOT a AND b":           `(NOT tag:"a" AND tag:"b")`,
		"NOT (a AND b)":         `NOT (tag:"a" AND tag:"b")`,
		"a AND b AND c":         `((tag:"a" AND tag:"b") AND tag:"c")`,
		"a AND(b)":              `(tag:"a" AND tag:"b")`,
		"and":                   `tag:"and"`,
		"a\tAND\n\u00A0b":       `(tag:"a" AND tag:"b")`,
		"a\x00b":                `tag:"ab"`,
		"Tag:x":                 `tag:"tag:x"`,
		`"AND"`:                 `tag:"and"`,
		`"has:file"`:            `tag:"has:file"`,
		"has:file":              `has:file`,
		`tag:"*"`:               `*`,
		`lang:""`:               `lang:""`,
		`author:"ADA  Brook"`:   `author:"ada brook"`,
		`text:"By the SEA, 灯台"`: `text:"by the sea 灯 台"`,
		`"a\"b" OR "c\\"`:       `(tag:"a\"b" OR tag:"c\\")`,
		`a"b c"`:                ``,
	} {
		filter, err := article.ParseFilter(expr)
		if got := filter.String(); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %s, %v; want %s", expr, got, err, want)
		}
	}
}

func TestFiltersWithoutWordsAreRefused(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		`text:""`:         "filter: text: needs a word after it, such as text:golang",
		`text:"!?"`:       "filter: text: needs a word after it, such as text:golang",
		`a OR text:"..."`: "filter: text: needs a word after it, such as text:golang",
		"text:":           "filter: text: needs a word after it, such as text:golang",
		"author: ada":     "filter: author: needs a word after it, such as author:golang",
		`tag:"  "`:        "filter: empty quotes; write a tag between them",
		"source:\"\t\"":   "filter: empty quotes; write a tag between them",
		`a AND "b\`:       "filter: the quote before",
		"a OR OR b":       `filter: a tag is expected before "OR"`,
		"NOT":             "filter: a tag is expected at the end",
		"a NOT b":         `filter: AND, OR or the end is expected before "NOT"`,
	} {
		if filter, err := article.ParseFilter(expr); err == nil || !strings.HasPrefix(err.Error(), want) || filter.Expr != nil {
			t.Errorf("%s: %v, %v; want %s", expr, filter, err, want)
		}
	}
}

func TestLimitsOfFiltersAreExact(t *testing.T) {
	t.Parallel()
	terms := func(n int) string { return strings.TrimSuffix(strings.Repeat("a OR ", n), " OR ") }
	for expr, ok := range map[string]bool{
		strings.Repeat("a", 2000): true, strings.Repeat("a", 2001): false,
		strings.Repeat("(", 50) + "a" + strings.Repeat(")", 50): true, strings.Repeat("(", 51) + "a" + strings.Repeat(")", 51): false,
		strings.Repeat("NOT ", 50) + "a": true, strings.Repeat("NOT ", 51) + "a": false,
		terms(100): true, terms(101): false,
	} {
		if _, err := article.ParseFilter(expr); (err == nil) != ok {
			t.Errorf("%.30s of %d bytes: %v", expr, len(expr), err)
		}
	}
	var deep article.Node = article.Tag{Key: "a"}
	for i := range 500 { // written by the program, not by a person
		deep = article.Or{Left: deep, Right: article.Tag{Key: fmt.Sprint(i)}}
	}
	if !(article.Filter{Expr: deep}).Match(&article.Article{Tags: []string{"499"}}) {
		t.Error("a filter of 500 tags does not find the last one")
	}
}
