package delivery

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/mailer"
)

// Fingerprint identifies the content of an edition that an editor was shown, by hashes of
// everything that its mails are made of. An approval carries it, and is refused when the edition
// has changed since.
type Fingerprint struct {
	Subject  string               `json:"s"`
	Articles []ArticleFingerprint `json:"a"`
	Sender   string               `json:"f"`           // of the sender, the links and the site
	Mail     string               `json:"m"`           // of the rendered mails and the templates
	Edits    string               `json:"e,omitempty"` // of what editors wrote and how the articles are arranged; empty for neither
	Audience string               `json:"u,omitempty"` // of a message
}

// ArticleFingerprint is one article of an edition as it was shown.
type ArticleFingerprint struct {
	ID   string `json:"i"`
	Hash string `json:"h"`
}

// Short returns a short form of the fingerprint, for people and scripts.
func (f Fingerprint) Short() string { return f.hash()[:16] }

// hash identifies the content; approvals are stored with it.
func (f Fingerprint) hash() string { return hashOf(f) }

// Token encodes the fingerprint for a form field.
func (f Fingerprint) Token() string {
	text, _ := json.Marshal(f) // strings only: it cannot fail
	return base64.RawURLEncoding.EncodeToString(text)
}

// maxToken bounds the length of a token in bytes. A thousand articles take about 100 KB.
const maxToken = 256 << 10

// ParseFingerprint decodes what Token returned.
func ParseFingerprint(token string) (Fingerprint, error) {
	var s Fingerprint
	if len(token) > maxToken {
		return s, errors.New("what was shown cannot be read: it is too long")
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, fmt.Errorf("what was shown cannot be read: %w", err)
	}
	return s, nil
}

// ChangedError refuses an approval because the edition has changed since it was shown.
type ChangedError struct {
	Differences []string // for people
}

func (e *ChangedError) Error() string {
	return "the edition changed since it was shown: " + strings.Join(e.Differences, "; ")
}

// hashArticle hashes all fields of an article that a mail may show or that preferences match,
// that is, all but those that only the store needs.
func hashArticle(a article.Article) string {
	a.Source, a.Hash, a.GUID, a.Named, a.Content, a.Episode = "", "", "", false, "", nil
	a.Updated, a.Ingested, a.Removed, a.Expires, a.Status = time.Time{}, time.Time{}, time.Time{}, time.Time{}, ""
	return hashOf(a)[:16]
}

// fingerprint hashes everything that an edition's mails are made of. It leaves out the edition's
// id and the time of day, since they differ between a preview and the edition itself.
func (e *Engine) fingerprint(input digest.Input, fixed settings) (Fingerprint, error) {
	made, err := digest.Compose(input, e.Templates)
	if err != nil {
		return Fingerprint{}, &renderError{err}
	}
	out := Fingerprint{Subject: made.Subject, Audience: input.Audience, Sender: hashOf([]any{fixed, e.Site, input.Definition})}
	for i := range input.Articles {
		a := &input.Articles[i]
		out.Articles = append(out.Articles, ArticleFingerprint{ID: a.ID, Hash: hashArticle(*a)})
	}
	if shown := input.Edits.Shown(); !shown.IsZero() || !reflect.ValueOf(input.Layout).IsZero() {
		out.Edits = hashOf([]any{shown, input.Layout})[:16]
	}
	out.Mail, err = e.mailHash(input)
	return out, err
}

// mailHash hashes the templates and the variants without topics. All other variants follow from the templates and the articles, which are hashed too.
func (e *Engine) mailHash(input digest.Input) (string, error) {
	input.ID = ""
	zone, err := time.LoadLocation(input.Definition.Timezone)
	if err != nil {
		zone = time.UTC
	}
	year, month, day := input.Date.In(zone).Date()
	input.Date = time.Date(year, month, day, 0, 0, 0, 0, zone)
	parts := []any{e.Templates.Hash(), input.Number}
	all := e.withoutTopics(input)
	rendered, err := e.renderAll(input, all)
	if err != nil {
		return "", err
	}
	for _, prefs := range all { // stored fingerprints repeat a variant that has several languages
		if v, found := rendered[prefs.Key()]; found {
			parts = append(parts, v.Subject, v.HTML, v.Text)
		}
	}
	return hashOf(parts), nil
}

// withoutTopics returns all preferences without topics that give an edition another variant: every
// language of its articles, as the language of the articles to send and as that of the mail.
func (e *Engine) withoutTopics(input digest.Input) []digest.Preferences {
	if input.IsMessage() {
		return digest.MessageVariants(input)
	}
	var out []digest.Preferences
	for _, language := range languagesOf(input.Articles) {
		out = append(out, digest.PreferencesFor(input.Definition, nil, language))
		all := digest.Preferences{}
		if spoken := all.InMailLanguage(input, language, e.Templates); spoken.MailLanguage != "" {
			out = append(out, spoken)
		}
	}
	return out
}

// languagesOf returns the languages of the articles, and "" for no language preference.
func languagesOf(articles []article.Article) []string {
	out := []string{""}
	for i := range articles {
		if !slices.Contains(out, articles[i].Language) {
			out = append(out, articles[i].Language)
		}
	}
	slices.Sort(out)
	return out
}

// hashOf hashes the JSON of a value.
func hashOf(v any) string {
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(v); err != nil {
		panic(err) // made of our own types
	}
	sum := sha256.Sum256(text.Bytes())
	return hex.EncodeToString(sum[:])
}

// Differences describes for people how an edition changed since it was shown. It reads the titles
// of articles from the store, since some may no longer be in the edition.
func (e *Engine) Differences(ctx context.Context, was, is Fingerprint) ([]string, error) {
	var out []string
	if was.Subject != is.Subject {
		out = append(out, fmt.Sprintf("the subject is “%s”, it was “%s”", is.Subject, was.Subject))
	}
	changes := articleChanges(was, is)
	ids := make([]string, len(changes))
	for i := range changes {
		ids[i] = changes[i][1]
	}
	found, err := e.Store.ArticlesByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	titles := map[string]string{}
	for i := range found {
		titles[found[i].ID] = found[i].Title
	}
	for _, change := range changes {
		out = append(out, change[0]+": “"+cmp.Or(titles[change[1]], change[1])+"”")
	}
	if len(changes) == 0 && !slices.Equal(was.Articles, is.Articles) {
		out = append(out, "the order of the articles changed")
	}
	if was.Audience != is.Audience {
		out = append(out, "the digests or the segment that the message is for changed")
	}
	if was.Edits != is.Edits {
		out = append(out, "what editors wrote, or the arrangement of the articles, changed")
	}
	if was.Sender != is.Sender {
		out = append(out, "the sender, the links or other settings of the digest or the site changed")
	}
	if len(out) == 0 && was.Mail != is.Mail {
		out = append(out, "the templates, or the number or date of the edition, changed")
	}
	return out, nil
}

// articleChanges returns pairs of a change and the id of the article.
func articleChanges(was, is Fingerprint) [][2]string {
	before := map[string]string{}
	for _, a := range was.Articles {
		before[a.ID] = a.Hash
	}
	var out [][2]string
	for _, a := range is.Articles {
		hash, known := before[a.ID]
		switch {
		case !known:
			out = append(out, [2]string{"added", a.ID})
		case hash != a.Hash:
			out = append(out, [2]string{"edited", a.ID})
		}
		delete(before, a.ID)
	}
	for _, a := range was.Articles {
		if _, left := before[a.ID]; left {
			out = append(out, [2]string{"withdrawn or left out", a.ID})
		}
	}
	return out
}

// checkUnchanged returns a *ChangedError when an edition's input differs from what was shown.
func (e *Engine) checkUnchanged(ctx context.Context, input digest.Input, was Fingerprint) error {
	fixed, err := e.settings(input.Definition.Name)
	if err != nil {
		return err
	}
	is, err := e.fingerprint(input, fixed)
	if err != nil || hashOf(is) == hashOf(was) {
		return err
	}
	differences, err := e.Differences(ctx, was, is)
	if err != nil {
		return err
	}
	return &ChangedError{Differences: differences}
}

// Review is a draft as an editor is shown it before the approval.
type Review struct {
	digest.Variant // the variant without preferences
	Edition        store.Edition
	Contents       []article.Article // its articles, in the order shown
	Withdrawn      []article.Article // withdrawn since the draft was made, so left out
	Recipients     Recipients
	Fingerprint    Fingerprint
	From           string
}

// Review returns a draft as it would be sent if it were approved now. It changes nothing.
// It returns a *store.StateError for an edition that is not a draft.
func (e *Engine) Review(ctx context.Context, id string) (Review, error) {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return Review{}, err
	}
	if edition.State != digest.Draft {
		return Review{}, &store.StateError{Edition: id, Have: edition.State, Want: digest.Approved}
	}
	input, err := e.inputOf(ctx, edition)
	if err != nil {
		return Review{}, err
	}
	fixed, err := e.settings(edition.Digest)
	if err != nil {
		return Review{}, err
	}
	out := Review{Edition: edition, Contents: input.Arranged(), From: mailboxText(fixed.From)}
	if out.Withdrawn, err = e.withdrawnFrom(ctx, edition, input); err != nil {
		return out, err
	}
	if out.Variant, err = e.render(input, digest.Preferences{}); err != nil {
		return out, err
	}
	if out.Fingerprint, err = e.fingerprint(input, fixed); err != nil {
		return out, err
	}
	out.Recipients, err = e.draftRecipients(ctx, edition, input)
	return out, err
}

// mailboxText writes a mailbox for people.
func mailboxText(a mailer.Address) string {
	if a.Name == "" {
		return a.Email
	}
	return a.Name + " <" + a.Email + ">"
}

// withdrawnFrom returns the articles of a draft that are not in the input.
func (e *Engine) withdrawnFrom(ctx context.Context, edition store.Edition, input digest.Input) ([]article.Article, error) {
	found, err := e.Store.ArticlesByID(ctx, edition.Articles)
	return slices.DeleteFunc(found, func(a article.Article) bool {
		return slices.ContainsFunc(input.Articles, func(b article.Article) bool { return a.ID == b.ID })
	}), err
}
