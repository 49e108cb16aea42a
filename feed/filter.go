package feed

import (
	"strings"

	"github.com/tidings-press/tidings/internal/article"
)

// FilterFor is the filter of a tag, author, language, search or expression. The
// error of an expression says what is wrong with it.
func FilterFor(kind Kind, name string) (article.Filter, error) {
	switch kind {
	case ByTag:
		return article.Filter{Expr: article.Tag{Key: article.TagKey(name)}}, nil
	case ByAuthor:
		return article.Filter{Expr: article.By{Key: article.AuthorKey(name)}}, nil
	case ByLanguage:
		return article.Filter{Expr: article.Language{Tag: name}}, nil
	case BySearch:
		var all article.Filter
		for _, word := range strings.Fields(name) {
			all = all.And(article.Filter{Expr: article.Word{Text: word}})
		}
		return all, nil
	case ByMatch:
		return article.ParseFilter(name)
	}
	return article.Filter{}, nil
}
