package digest

import (
	"net/url"
	"strconv"

	"github.com/tidings-press/tidings/internal/article"
)

// ListPath returns the path of the page that lists the editions of a digest.
func ListPath(digest string) string { return "/digests/" + url.PathEscape(digest) + "/" }

// PagePath returns the path of an edition's public page, such as "/digests/weekly/42-the-harbour/".
// The number decides which edition it is; the words after it come from the subject, and the page
// redirects other words to these. Without a subject the path has only the number.
func PagePath(digest string, number int, subject string) string {
	path := ListPath(digest) + strconv.Itoa(number)
	if slug := article.Slugify(subject); slug != "" {
		path += "-" + url.PathEscape(slug)
	}
	return path + "/"
}

// PagePath returns the path of the edition's public page.
func (e Edition) PagePath() string { return PagePath(e.Digest, e.Number, e.Subject) }

// VariantPath returns the path of the public page with the articles of a variant. number is the
// variant's number within the edition. The variant without preferences has the edition's own page.
func (e Edition) VariantPath(v Variant, number int) string {
	if v.Key == "" {
		return e.PagePath()
	}
	return e.PagePath() + strconv.Itoa(number) + "/"
}

// FeedbackPath returns the path of the page for an answer about an edition, yes or no. edition is
// its id.
func FeedbackPath(edition, answer string) string {
	return "/editions/" + url.PathEscape(edition) + "/feedback/" + answer
}
