package subscription

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// UploadSettings are the settings for the import of an uploaded list.
type UploadSettings struct {
	Latin1 bool `json:"latin1,omitempty"`
	// Columns are the meanings that an editor chose, by the place of the column, where they differ from
	// what was recognised.
	Columns      map[int]subscriber.Meaning `json:"columns,omitempty"`
	Digests      []string                   `json:"digests,omitempty"`
	Labels       []string                   `json:"labels,omitempty"`
	Topics       []string                   `json:"topics,omitempty"` // of lines without topics
	MailLanguage string                     `json:"mail_language,omitempty"`
	Consent      string                     `json:"consent,omitempty"` // where and how the people agreed
	By           string                     `json:"by,omitempty"`      // the editor who vouches for it
	Read         []subscriber.Column        `json:"read,omitempty"`    // the columns as they are read
}

// consentText returns the consent as it is stored with the people whose line has none.
func (s UploadSettings) consentText() string {
	return fmt.Sprintf("%s (recorded by %s)", s.Consent, s.By)
}

// SettingsOf returns the settings of an uploaded list.
func SettingsOf(list store.UploadedList) (UploadSettings, error) {
	var s UploadSettings
	if err := json.Unmarshal(list.Settings, &s); err != nil {
		return s, fmt.Errorf("settings of list %s: %w", list.ID, err)
	}
	return s, nil
}

func (s UploadSettings) data() []byte {
	data, err := json.Marshal(s)
	if err != nil { // cannot happen with numbers and strings
		return []byte("{}")
	}
	return data
}

// Upload stores the file of a list, which can then be checked and imported. An *store.InputError
// reports a file that is not a list.
func (m Manager) Upload(ctx context.Context, name, editor string, file io.Reader) (store.UploadedList, error) {
	var guess subscriber.EncodingGuess
	settings := func() []byte { return UploadSettings{Latin1: guess.Latin1()}.data() }
	list, err := m.Store.AddUpload(ctx, name, editor, io.TeeReader(file, &guess), settings)
	if err != nil {
		return list, err
	}
	if _, err = m.PreviewUpload(ctx, list, UploadSettings{Latin1: guess.Latin1()}); err != nil {
		err = errors.Join(err, m.Store.RemoveUpload(ctx, list.ID))
	}
	return list, err
}

// PreviewUpload returns the beginning of an uploaded list, with its columns as they are recognised, or
// as the settings have them.
func (m Manager) PreviewUpload(ctx context.Context, list store.UploadedList, s UploadSettings) (subscriber.ListPreview, error) {
	p, err := subscriber.PreviewList(m.Store.UploadFile(ctx, list.ID), subscriber.ListOptions{Latin1: s.Latin1, Positions: s.Columns})
	if errors.Is(err, subscriber.ErrList) && !errors.Is(err, store.ErrUploadRead) {
		err = store.InvalidInput(words.T("the file cannot be read as a list: {0}", listProblem(err)))
	}
	return p, err
}

// listProblem returns the error of a list without the words that are the same in all of them.
func listProblem(err error) error {
	if wrapped, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range wrapped.Unwrap() {
			if !errors.Is(one, subscriber.ErrList) {
				return one
			}
		}
	}
	return err
}

// CheckUpload checks the settings of an uploaded list and queues a dry run with them. chosen holds the
// meaning of every column. An *store.InputError or *TopicError says what the editor must change, and
// store.ErrUploadChanged that another editor was faster.
func (m Manager) CheckUpload(ctx context.Context, list store.UploadedList, s UploadSettings, chosen []subscriber.Meaning) error {
	recognised, err := m.PreviewUpload(ctx, list, UploadSettings{Latin1: s.Latin1})
	if err != nil {
		return err
	}
	if s.Columns, err = checkColumns(recognised, chosen); err != nil {
		return err
	}
	s.Read = readColumns(recognised.Columns, s.Columns)
	if s.Consent = cleanStatement(s.Consent); s.Consent == "" {
		return store.InvalidInput(words.T("say where and how these people agreed to get your mails; without that the list cannot be imported"))
	}
	if len(s.Digests) == 0 {
		return store.InvalidInput(words.T("choose at least one digest"))
	}
	if err := m.Config.CheckDigests(s.Digests); err != nil {
		return store.InvalidInput(words.T("{0}", err))
	}
	if s.MailLanguage, err = parseLanguage(s.MailLanguage); err != nil {
		return err
	}
	if s.Labels, err = cleanLabels(s.Labels); err != nil {
		return err
	}
	if err := m.checkTopics(ctx, s.Digests, s.Topics); err != nil {
		return err
	}
	return m.Store.CheckUpload(ctx, list.ID, list.Revision, s.data())
}

// checkColumns returns the meanings that differ from those that were recognised. An error says which
// column must be decided.
func checkColumns(p subscriber.ListPreview, chosen []subscriber.Meaning) (map[int]subscriber.Meaning, error) {
	out, used := map[int]subscriber.Meaning{}, map[subscriber.Meaning]bool{}
	for i, c := range p.Columns {
		m := c.Meaning
		if i < len(chosen) && slices.Contains(subscriber.Meanings, chosen[i]) {
			m = chosen[i]
		}
		if m == "" && c.Heading == "" {
			return nil, store.InvalidInput(words.T("say what column {0} holds; choose “ignored” if it does not matter", i+1))
		}
		if m == "" {
			return nil, store.InvalidInput(words.T("say what the column “{0}” holds: it may tell who left or who agreed", c.Heading))
		}
		if used[m] && !m.MayRepeat() {
			return nil, store.InvalidInput(words.T("two columns have the same meaning, and only one of them can be read so; choose another meaning for “{0}”", c.Heading))
		}
		used[m] = true
		if m != c.Meaning {
			out[i] = m
		}
	}
	if !used[subscriber.MeansAddress] {
		return nil, store.InvalidInput(words.T("choose the column that holds the email addresses"))
	}
	return out, nil
}

// readColumns returns columns with the meanings that an editor chose, for the report.
func readColumns(columns []subscriber.Column, chosen map[int]subscriber.Meaning) []subscriber.Column {
	out := slices.Clone(columns)
	for i, m := range chosen {
		out[i].Meaning, out[i].ByHand, out[i].Why = m, true, ""
	}
	return out
}

// UncheckedConsent returns the headings of columns that seem to say who left or who agreed, and that
// the settings ignore.
func UncheckedConsent(recognised subscriber.ListPreview, s UploadSettings) []string {
	var out []string
	for i, c := range recognised.Columns {
		if m, changed := s.Columns[i]; changed && !m.AboutConsent() && (c.Meaning == "" && recognised.HasHeader || c.Meaning.AboutConsent()) {
			out = append(out, c.Heading)
		}
	}
	return out
}
