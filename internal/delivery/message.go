package delivery

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// Message is what editors write of a message: a one-off mail that no tick makes.
type Message struct {
	Audience  digest.Audience
	Subject   string
	Preheader string
	Text      map[string]string // Markdown by language; "" is for every language
	Articles  []string          // ids of articles that are shown after the text
}

// Limits of a message. They are far above what a mail may hold.
const (
	maxMessageText     = 200_000 // bytes, in each language
	maxMessageSubject  = 500
	maxMessageArticles = 100
)

// MessageOf returns what editors wrote of a stored message.
func MessageOf(edition store.Edition) (Message, error) {
	if !edition.IsMessage() {
		return Message{}, words.Errorf("edition {0} is not a message, but an edition of {1}", edition.ID, edition.Digest)
	}
	audience, err := digest.ParseAudience(edition.Audience)
	return Message{
		Audience: audience, Subject: edition.Subject, Preheader: edition.Edits.Preheader,
		Text: edition.Edits.Intro, Articles: edition.Articles,
	}, err
}

// MessageRevision identifies the content of a stored message, for forms that change it.
func MessageRevision(edition store.Edition) string {
	return hashOf([]any{edition.Subject, edition.Edits, edition.Articles, edition.Audience})[:16]
}

// into returns an edition with the message's content.
func (m Message) into(edition store.Edition) store.Edition {
	edition.Audience, edition.Digest = m.Audience.Encode(), m.Audience.Digests[0]
	edition.Subject, edition.Articles = m.Subject, m.Articles
	edition.Edits.Preheader, edition.Edits.Intro = m.Preheader, m.Text
	return edition
}

// NewMessage stores a message as a draft. by is the editor. It takes the next number of its first
// digest. It returns an error that says what to correct, and stores nothing, if the message cannot be
// sent as it is.
func (e *Engine) NewMessage(ctx context.Context, by string, m Message) (store.Edition, error) {
	m = m.cleaned()
	if err := e.checkMessage(ctx, m); err != nil {
		return store.Edition{}, err
	}
	key := digest.MessageKey + uuid.NewString()
	draft := m.into(store.Edition{Author: by, Edition: digest.Edition{ScheduledFor: key, State: digest.Draft}})
	draft.ID, draft.Created = e.names.EditionID(draft.Digest, key), e.Store.Now()
	if err := e.checkRendering(ctx, draft); err != nil {
		return store.Edition{}, err
	}
	return e.Store.CreateDraft(ctx, draft, nil)
}

// EditMessage replaces the content of a message that was not approved. was is the edition as the
// editor saw it. It returns store.ErrDraftChanged if someone else changed it since.
func (e *Engine) EditMessage(ctx context.Context, was store.Edition, m Message) (store.Edition, error) {
	if _, err := MessageOf(was); err != nil {
		return was, err
	}
	m = m.cleaned()
	if err := e.checkMessage(ctx, m); err != nil {
		return was, err
	}
	next := m.into(was)
	if err := e.checkRendering(ctx, next); err != nil {
		return was, err
	}
	return e.Store.EditMessage(ctx, was, next)
}

// checkRendering returns an error for a message that cannot be rendered.
func (e *Engine) checkRendering(ctx context.Context, draft store.Edition) error {
	input, err := e.inputOf(ctx, draft)
	if err == nil {
		_, err = digest.Render(input, digest.Preferences{}, e.Templates)
	}
	return err
}

// cleaned returns the message with its texts as mails show them.
func (m Message) cleaned() Message {
	m.Subject, m.Preheader = article.CleanLine(m.Subject), article.CleanLine(m.Preheader)
	texts := map[string]string{}
	for lang, text := range m.Text {
		if text = strings.TrimSpace(article.CleanText(text)); text != "" {
			texts[lang] = text
		}
	}
	m.Text = texts
	return m
}

// checkMessage returns what an editor must correct. Compose checks the subject and the text.
func (e *Engine) checkMessage(ctx context.Context, m Message) error {
	if err := m.Audience.Check(); err != nil {
		return err
	}
	for _, name := range m.Audience.Digests {
		if _, err := e.definition(name); err != nil {
			return err
		}
	}
	if n := len([]rune(m.Subject)); n > maxMessageSubject {
		return words.Errorf("the subject has {0} characters; at most {1} are allowed", n, maxMessageSubject)
	}
	for lang, text := range m.Text {
		if len(text) > maxMessageText {
			return words.Errorf("the text in language {0} has {1} bytes; at most {2} are allowed", strconv.Quote(lang), len(text), maxMessageText)
		}
	}
	if err := e.checkLabels(ctx, m.Audience.Segment); err != nil {
		return err
	}
	return e.checkPicked(ctx, m.Articles)
}

// checkPicked returns an error for an article that is not published.
func (e *Engine) checkPicked(ctx context.Context, ids []string) error {
	if len(ids) > maxMessageArticles {
		return words.Errorf("a message holds at most {0} articles, not {1}", maxMessageArticles, len(ids))
	}
	found, err := e.Store.ArticlesByID(ctx, ids)
	if err != nil {
		return err
	}
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			return words.Errorf("the article {0} is named twice", id)
		}
		if !slices.ContainsFunc(found, func(a article.Article) bool { return a.ID == id && a.Listed(e.Store.Now()) }) {
			return words.Errorf("no article with the id {0} is published; \"tidings article list\" shows the ids", strconv.Quote(id))
		}
	}
	return nil
}

// namedLabels is how many labels an error lists.
const namedLabels = 30

// checkLabels returns an error for a label that no active subscriber has: it is probably misspelt.
func (e *Engine) checkLabels(ctx context.Context, text string) error {
	segment, err := digest.ParseSegment(text)
	if err != nil || !slices.ContainsFunc(segment, func(c digest.Condition) bool { return c.Kind == digest.HasLabel }) {
		return err
	}
	labels, err := e.Store.Labels(ctx)
	if err != nil {
		return err
	}
	for _, condition := range segment {
		for _, value := range condition.Values {
			if condition.Kind != digest.HasLabel || slices.ContainsFunc(labels, func(l string) bool { return article.TagKey(l) == value }) {
				continue
			}
			known := strings.Join(labels[:min(len(labels), namedLabels)], ", ")
			return words.Errorf("segment: no active subscriber has the label {0}; labels: {1}", strconv.Quote(value), cmp.Or(known, "none"))
		}
	}
	return nil
}

// messageInput completes the input of a message.
func (e *Engine) messageInput(input digest.Input, edition store.Edition) (digest.Input, error) {
	audience, err := digest.ParseAudience(edition.Audience)
	if err != nil {
		return input, err
	}
	input.Subject, input.Audience = edition.Subject, edition.Audience
	input.Definition.Template = cmp.Or(audience.Template, digest.MessageTemplate)
	if _, err := digest.Compose(input, e.Templates); err != nil {
		return input, &renderError{err}
	}
	return input, nil
}

// groups returns the combinations of preferences among the recipients of an edition. The audience
// is nil for an edition of a digest.
func (e *Engine) groups(ctx context.Context, edition store.Edition) (*store.Audience, []store.PreferenceGroup, error) {
	if !edition.IsMessage() {
		groups, err := e.Store.PreferenceGroups(ctx, edition.Digest)
		return nil, groups, err
	}
	audience, err := e.audience(edition.Audience)
	if err != nil {
		return nil, nil, err
	}
	groups, err := e.Store.MessageGroups(ctx, audience)
	if err == nil && len(groups) == 0 {
		err = ErrNoRecipients
	}
	return &audience, groups, err
}

// ErrNoRecipients refuses the approval of a message that no subscriber would get.
var ErrNoRecipients = words.Errorf("no subscriber would get the message now; change its digests or its segment")

// audience returns an audience in the form that the store reads. Days in a segment are those of the
// first digest's timezone.
func (e *Engine) audience(text string) (store.Audience, error) {
	a, err := digest.ParseAudience(text)
	if err != nil {
		return store.Audience{}, err
	}
	out := store.Audience{Digests: a.Digests, Zone: time.UTC, Language: cmp.Or(e.Site.Language, "en")}
	if out.Segment, err = digest.ParseSegment(a.Segment); err != nil {
		return out, err
	}
	def, err := e.definition(a.Digests[0])
	if err != nil {
		return out, err
	}
	if zone, err := time.LoadLocation(def.Timezone); err == nil {
		out.Zone = zone
	}
	return out, nil
}

// AudienceCount counts who would get a message for an audience now, and who would not.
func (e *Engine) AudienceCount(ctx context.Context, a digest.Audience) (Recipients, error) {
	if err := a.Check(); err != nil {
		return Recipients{}, err
	}
	audience, err := e.audience(a.Encode())
	if err != nil {
		return Recipients{}, err
	}
	if len(audience.Digests) == 1 && len(audience.Segment) == 0 {
		counts, err := e.Store.DigestCounts(ctx, audience.Digests[0])
		return Recipients{Count: counts.Recipients(), Skipped: counts.Others}, err
	}
	at := e.Store.Now() // before the count, which may take a while
	groups, err := e.Store.MessageGroups(ctx, audience)
	if err != nil {
		return Recipients{}, err
	}
	var out Recipients
	for _, group := range groups {
		out.Count += group.Count
	}
	if out.Skipped, err = e.Store.MessageNonRecipients(ctx, audience); err == nil {
		e.audienceCache.Put(audienceKey(a), &cachedAudience{out, at})
	}
	return out, err
}

// messageRecipients counts who would get a message if it were approved now. In a large store the numbers
// may be some minutes old.
func (e *Engine) messageRecipients(ctx context.Context, edition store.Edition) (Recipients, error) {
	audience, err := digest.ParseAudience(edition.Audience)
	if err != nil {
		return Recipients{}, err
	}
	return e.cachedAudienceCount(ctx, audience)
}
