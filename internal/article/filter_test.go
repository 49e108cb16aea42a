package article_test

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
)

func TestFilterSelectsArticles(t *testing.T) {
	t.Parallel()
	a := &article.Article{
		Title: "How we count the swifts", Tags: []string{"Golang", "C/C++", "tips and tricks", "été"}, Language: "en-GB",
		Authors: []article.Author{{Name: "Ada Whitlock"}}, Summary: "A summary", HTML: "<p>By the <b>har</b>bour, 灯台の前で.</p>",
	}
	for expr, want := range map[string]bool{
		"": true, "*": true, "golang": true, "GOLANG": true, "rust": false, "NOT rust": true, "NOT *": false,
		"golang AND rust": false, "golang OR rust": true, "rust OR golang AND NOT jobs": true, "(rust OR golang) AND jobs": false, "NOT (rust OR jobs)": true,
		"C/C++": true, `"tips and tricks"`: true, `"Tips  and tricks "`: true, "e\u0301te\u0301": true, "tag:été": true,
		"author:\"ada whitlock\"": true, "author:Ada": false, "lang:en": true, "lang:EN-gb": true, "lang:en-US": false, "lang:e": false,
		"text:swifts": true, `text:"count the"`: true, `text:"the count"`: false, "text:harbour": true, "text:灯台": true, "text:台灯": false, "text:summary": true, "text:har": false,
		"NOT NOT golang": true, "((golang))": true,
	} {
		filter, err := article.ParseFilter(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		if got := filter.Match(a); got != want {
			t.Errorf("%s: %v, want %v", expr, got, want)
		}
		again, err := article.ParseFilter(filter.String())
		if err != nil || again != filter {
			t.Errorf("%s is written as %s, which reads as %#v, %v", expr, filter, again, err)
		}
	}
}

func TestInvalidFiltersGiveReason(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		"golang rust":                      `AND, OR or the end is expected before "rust"`,
		"golang AND":                       "a tag is expected at the end",
		"AND golang":                       `a tag is expected before "AND"`,
		"(golang":                          "a bracket is never closed",
		"golang)":                          `is expected before ")"`,
		`"golang`:                          "is never closed",
		`""`:                               "empty quotes",
		"lang:":                            "lang: needs a word after it",
		"()":                               `a tag is expected before ")"`,
		strings.Repeat("a", 2001):          "at most 2000",
		strings.Repeat("(", 60) + "a":      "nested deeper than 50",
		strings.Repeat("NOT ", 60) + "a":   "nested deeper than 50",
		strings.Repeat("a OR ", 150) + "a": "more than 100 terms",
	} {
		if _, err := article.ParseFilter(expr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", expr, err, want)
		}
	}
}

func TestFiltersCombine(t *testing.T) {
	t.Parallel()
	golang, _ := article.ParseFilter("golang")
	tags := article.AnyOf([]string{"a", "b"}, func(v string) article.Node { return article.Tag{Key: article.TagKey(v)} })
	if got := golang.And(tags).String(); got != `(tag:"golang" AND (tag:"a" OR tag:"b"))` {
		t.Error(got)
	}
	if got := golang.And(article.Filter{}); got != golang {
		t.Errorf("%v", got)
	}
	if got := (article.Filter{}).And(golang); got != golang {
		t.Errorf("%v", got)
	}
	if got := article.AnyOf(nil, nil); got != (article.Filter{}) {
		t.Errorf("%v", got)
	}
}
