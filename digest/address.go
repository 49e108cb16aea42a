package digest

import "github.com/tidings-press/tidings/article"

func urlFor(a *article.Article, site string) string {
	if a.URL != "" {
		return a.URL
	}
	return site + "/articles/" + a.Slug
}

func bodyFor(a *article.Article, site string) string { return a.HTML }

func directionOf(a *article.Article) string {
	switch canonical(a.Language) {
	case "ar", "he", "fa", "ur":
		return "rtl"
	}
	return "ltr"
}
