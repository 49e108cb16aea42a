package delivery

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
)

// compile compiles a variant into a mould with all the headers of a digest's mail.
// The date is that of the approval, so that a mail is the same on every try.
func (e *Engine) compile(fixed settings, edition string, date time.Time, v digest.Variant) (*compiledVariant, error) {
	messageID, mailto := extraPlaceholders(v.Placeholders)
	offered := ""
	if fixed.UnsubscribeMail {
		offered = mailto
	}
	page := digest.PagePath(edition)
	list := mailer.List{
		Name: fixed.Digest, Domain: fixed.listDomain(), Title: fixed.Title, Edition: edition,
		Subscribe:   strings.TrimSuffix(fixed.Site, "/") + "/subscribe?digest=" + url.QueryEscape(fixed.Digest),
		Unsubscribe: v.Placeholders.Unsubscribe, Mailto: offered,
		Help: fixed.Site, Archive: strings.TrimSuffix(fixed.Site, "/") + page, Owner: fixed.Owner,
	}
	made, err := mailer.Compile(mailer.Message{
		From: fixed.From, ReplyTo: fixed.ReplyTo, To: mailer.Address{Email: v.Placeholders.Address},
		Subject: v.Subject, Date: date, MessageID: messageID, Text: v.Text, HTML: v.HTML,
		Headers: list.Headers(), Placeholders: append(v.Placeholders.Words(), messageID, mailto),
	})
	if err != nil {
		return nil, fmt.Errorf("digest %s: %w", fixed.Digest, err)
	}
	return &compiledVariant{made, v.AnonymousName, digest.PagePath(edition)}, nil
}

// extraPlaceholders are two more marks, of the same stem as the variant's: for the
// Message-ID and for the mailbox of List-Unsubscribe.
func extraPlaceholders(h digest.Placeholders) (messageID, mailto string) {
	stem := strings.TrimSuffix(h.Name, "name")
	return stem + "msid", stem + "lsun"
}

// values are what goes into the holes for one reader, in the order of the marks.
func (e *Engine) values(dst []string, m *compiledVariant, paths *mailer.SignedAddresses, l *loaded, r store.Recipient, address subscriber.Address) []string {
	name := r.Name
	if name == "" {
		name = m.nobody
	}
	id := mailer.DeliveryID{Edition: l.ID, Person: token.PersonOf(r.UID)}
	links := e.links(l.fixed.Site, r.UID, l.Digest, l.ID, m.page)
	return append(dst, name, address.ASCII(), links.Unsubscribe, links.Preferences, links.Web, paths.MessageID(id), paths.Unsubscribe(id))
}

// messageIDValue is where values has the Message-ID.
const messageIDValue = 5

// links are the addresses in a reader's mail; page is the path of the public page, which
// is nobody's in particular: people pass it on.
func (e *Engine) links(site string, person uuid.UUID, digestName, edition, page string) digest.Placeholders {
	site = strings.TrimSuffix(site, "/")
	return digest.Placeholders{
		Unsubscribe: site + "/unsubscribe/" + e.Keys.Sign(token.Unsubscribe, person, digestName, edition),
		Preferences: site + "/preferences/" + e.Keys.Sign(token.Preferences, person, digestName, ""),
		Web:         site + page,
	}
}

// paths makes return paths for a digest.
func (e *Engine) paths(def *Definition) (*mailer.SignedAddresses, error) {
	domain := e.ReturnPath
	if domain == "" {
		_, domain, _ = strings.Cut(def.From.Email, "@")
	}
	return mailer.NewSignedAddresses(e.secret, domain)
}

// returnPath is where the bounces of a mail go: an address that names the delivery, if
// anything reads those, else the sender's own mailbox.
func (s settings) returnPath(paths *mailer.SignedAddresses, id mailer.DeliveryID) string {
	if !s.ReturnPaths {
		return s.From.Email
	}
	return paths.ReturnPath(id)
}

// loaded is an edition that is being sent.
type loaded struct {
	store.Edition
	fixed settings
	date  time.Time // of all its mails
	paths *mailer.SignedAddresses
}

// editionCache keeps the editions that were sent from last.
type editionCache struct {
	mu   sync.Mutex
	kept []*loaded
}

// maxLoaded bounds the cache.
const maxLoaded = 16

// load returns an edition by its number.
func (e *Engine) load(ctx context.Context, seq int64) (*loaded, error) {
	e.editions.mu.Lock()
	defer e.editions.mu.Unlock()
	for _, l := range e.editions.kept {
		if l.Seq == seq {
			return l, nil
		}
	}
	edition, err := e.Store.EditionBySeq(ctx, seq)
	if err != nil {
		return nil, err
	}
	l := &loaded{Edition: edition}
	if l.fixed, l.date, err = e.settingsOf(edition); err != nil {
		return nil, err
	}
	if l.paths, err = mailer.NewSignedAddresses(e.secret, l.fixed.Domain); err != nil {
		return nil, err
	}
	e.editions.kept = append(e.editions.kept, l)
	if len(e.editions.kept) > maxLoaded {
		e.editions.kept = e.editions.kept[1:]
	}
	return l, nil
}
