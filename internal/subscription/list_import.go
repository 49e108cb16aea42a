package subscription

import (
	"context"
	"slices"
	"strings"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// ListImport holds the settings of an import.
type ListImport struct {
	Digests      []string         // of lines without digests; all when empty
	Consent      string           // how the people of lines without a consent agreed
	MailLanguage string           // of lines that name no language; may be empty
	Labels       []string         // for all people of the list
	Topics       []string         // of lines without topics
	DryRun       bool             // store nothing
	Upload       *store.UploadRun // of an uploaded list; may be nil
	Report       func(store.ImportLine)
	Progress     func(store.ImportResult)
}

// ImportSummary is the result of an import, or of a dry run.
type ImportSummary struct {
	DryRun  bool                `json:"dry_run"`
	Columns []subscriber.Column `json:"columns"`
	store.ImportReport
}

// ImportList imports a list; see store.ImportSubscribers. If it breaks off, the summary has what was
// done.
func (m Manager) ImportList(ctx context.Context, list *subscriber.List, o ListImport) (ImportSummary, error) {
	if err := m.Config.CheckDigests(o.Digests); err != nil {
		return ImportSummary{}, store.InvalidInput(words.T("{0}", err))
	}
	if len(o.Digests) == 0 {
		o.Digests = m.Config.DigestNames()
	}
	check, err := m.CheckRow(o.Digests)
	if err != nil {
		return ImportSummary{}, err
	}
	withTopics := func(ctx context.Context, row *subscriber.Row) error {
		if len(row.Topics) == 0 {
			row.Topics = o.Topics
		}
		return check(ctx, row)
	}
	result, err := m.Store.ImportSubscribers(ctx, list.Rows(), store.ImportOptions{
		Digests: o.Digests, MailLanguage: o.MailLanguage, Labels: o.Labels, DryRun: o.DryRun, Upload: o.Upload, Check: withTopics, Report: o.Report, Progress: o.Progress,
		Consent: subscriber.Consent{Source: "import", Text: o.Consent, At: m.Store.Now()},
	})
	result.Values = mappedCounts(list)
	return ImportSummary{DryRun: o.DryRun, Columns: list.Columns(), ImportReport: result}, err
}

// mappedCounts returns the words of other systems that a list has, in order.
func mappedCounts(list *subscriber.List) []store.MappedCount {
	var out []store.MappedCount
	for m, n := range list.Mapped() {
		out = append(out, store.MappedCount{Mapped: m, Lines: n})
	}
	slices.SortFunc(out, func(a, b store.MappedCount) int {
		return strings.Compare(a.Heading+"\x00"+a.Value, b.Heading+"\x00"+b.Value)
	})
	return out
}
