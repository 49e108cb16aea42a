package store

import (
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/subscriber"
)

func TestEachColumnHasOneValue(t *testing.T) {
	t.Parallel()
	for list, values := range map[string][]any{
		"article":    articleValues(&article.Article{}, &articleRow{}),
		"subscriber": subscriberValues(&subscriber.Subscriber{}),
		"edition":    editionValues(&Edition{}),
		"job":        jobValues(&Job{}, nil),
		"audit":      auditValues(&AuditEntry{}),
		"upload":     uploadValues(&UploadedList{}),
		"editor":     editorValues(&Editor{}),
		"provider":   identityValues(&Identity{}),
	} {
		columns := strings.Split(queries().Columns(list, ""), ", ")
		if len(columns) != len(values) {
			t.Errorf("%s has %d columns and %d values", list, len(columns), len(values))
		}
	}
}
