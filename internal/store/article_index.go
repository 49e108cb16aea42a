package store

import (
	"context"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store/sqldb"
)

// The kinds of labels.
const (
	tagLabel      = "tag"
	authorLabel   = "author"
	languageLabel = "language"
)

// label is something that an article is found by.
type label struct{ kind, key, name string }

// labelsOf are an article's labels. A language with a region counts for the
// language alone as well, so that "en" finds "en-GB" by index, and an article in no
// known language has a label without a name, so that these are found too.
func labelsOf(a *article.Article) []label {
	var out []label
	for _, tag := range a.Tags {
		out = append(out, label{tagLabel, article.TagKey(tag), tag})
	}
	for _, author := range a.Authors {
		out = append(out, label{authorLabel, article.AuthorKey(author.Name), author.Name})
	}
	for tag := a.Language; ; {
		out = append(out, label{languageLabel, strings.ToLower(tag), tag})
		cut := strings.LastIndexByte(tag, '-')
		if cut < 0 {
			return out
		}
		tag = tag[:cut]
	}
}

// index keeps what an article is found by: its labels and its words.
func (c *conn) index(ctx context.Context, a *article.Article, row articleRow, fresh bool) error {
	if !fresh {
		if _, err := c.Exec(ctx, "article.dropLabels", row.seq); err != nil {
			return err
		}
	}
	var labels [][3]string
	for _, l := range labelsOf(a) {
		if l.key != "" || l.kind == languageLabel {
			labels = append(labels, [3]string{l.kind, sqldb.CleanText(l.key), sqldb.CleanText(l.name)})
		}
	}
	if len(labels) > 0 {
		list := jsonText(labels, false)
		if _, err := c.Exec(ctx, "article.addLabels", row.seq, list, string(row.status), row.appears, row.published); err != nil {
			return err
		}
	}
	return c.indexWords(ctx, row.seq, a.SearchText(), fresh)
}

// indexWords keeps the words between single spaces, with one at each end, so that
// a phrase is found by its own words between spaces.
func (c *conn) indexWords(ctx context.Context, seq int64, words string, fresh bool) error {
	words = " " + words + " "
	if _, err := c.Exec(ctx, "article.setWords", seq, words); err != nil || c.Engine == Postgres {
		return err
	}
	if !fresh {
		if _, err := c.Exec(ctx, "article.unindexWords", seq); err != nil {
			return err
		}
	}
	_, err := c.Exec(ctx, "article.indexWords", seq, words)
	return err
}
