package ingest

import (
	"fmt"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
)

// FileReport is the result of importing one file.
type FileReport struct {
	File      string          `json:"file"`
	Articles  []ArticleReport `json:"articles,omitempty"`
	Redirects int             `json:"redirects,omitempty"`
	Problems  []*Problem      `json:"problems,omitempty"` // what was left out
	Warnings  []*Problem      `json:"warnings,omitempty"` // what was changed or dropped in imported articles
}

// name sets the file name in the report and all its problems to the path as the user gave it.
func (r *FileReport) name(label string) {
	r.File = label
	for _, problems := range [][]*Problem{r.Problems, r.Warnings} {
		for _, p := range problems {
			p.File = label
		}
	}
}

// ArticleReport is the result of importing one article.
type ArticleReport struct {
	ID      string           `json:"id"`
	Slug    string           `json:"slug"`
	Title   string           `json:"title"`
	Outcome store.ChangeKind `json:"outcome"`
	Status  article.Status   `json:"status"` // see article.StatusAt
}

// Summary counts what an import did.
type Summary struct {
	Files     int `json:"files"`
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Withheld  int `json:"kept_back"` // drafts, scheduled, unlisted and withdrawn articles
	Redirects int `json:"redirects"`
	Problems  int `json:"problems"`
	Warnings  int `json:"warnings"`
}

func (s *Summary) add(r FileReport) {
	s.Files++
	s.Redirects += r.Redirects
	s.Problems += len(r.Problems)
	s.Warnings += len(r.Warnings)
	for _, a := range r.Articles {
		if a.Status != article.Published {
			s.Withheld++
		}
		switch a.Outcome {
		case store.Created:
			s.Created++
		case store.Updated:
			s.Updated++
		default:
			s.Unchanged++
		}
	}
}

// Plus returns the sum of two summaries.
func (s Summary) Plus(t Summary) Summary {
	return Summary{s.Files + t.Files, s.Created + t.Created, s.Updated + t.Updated, s.Unchanged + t.Unchanged, s.Withheld + t.Withheld,
		s.Redirects + t.Redirects, s.Problems + t.Problems, s.Warnings + t.Warnings}
}

// String returns the summary in one line.
func (s Summary) String() string {
	out := fmt.Sprintf("%s: %s, %d updated, %d unchanged", counted(s.Files, "file", "files"), counted(s.Created, "new article", "new articles"), s.Updated, s.Unchanged)
	for _, part := range []struct {
		count     int
		one, more string
	}{
		{s.Withheld, "withheld", "withheld"}, {s.Redirects, "old address redirected", "old addresses redirected"},
		{s.Problems, "left out", "left out"}, {s.Warnings, "warning", "warnings"},
	} {
		if part.count > 0 {
			out += "; " + counted(part.count, part.one, part.more)
		}
	}
	return out
}

// counted returns a number with its noun, such as "1 file" or "2 files".
func counted(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}
