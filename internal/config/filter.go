package config

import (
	"github.com/tidings-press/tidings/internal/article"
)

// isSet reports whether the filter has a condition.
func (f Filter) isSet() bool {
	return f.Match != "" || f.Search != "" || len(f.Tags)+len(f.Authors)+len(f.Languages) > 0
}

// Compile returns the filter for articles.
func (f Filter) Compile() (article.Filter, error) {
	all, err := article.ParseFilter(f.Match)
	if err != nil {
		return article.Filter{}, err
	}
	all = all.And(article.AnyOf(f.Tags, func(tag string) article.Node { return article.Tag{Key: article.TagKey(tag)} }))
	all = all.And(article.AnyOf(f.Authors, func(name string) article.Node { return article.By{Key: article.AuthorKey(name)} }))
	all = all.And(article.AnyOf(f.Languages, func(tag string) article.Node { return article.Language{Tag: tag} }))
	for _, word := range article.Words(f.Search) {
		all = all.And(article.Filter{Expr: article.Word{Text: word}})
	}
	return all, nil
}

func (c *checker) match(key, expr string) {
	_, err := article.ParseFilter(expr)
	c.failed(key, err, "write an expression such as golang AND NOT jobs")
}
