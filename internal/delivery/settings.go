package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/mailer"
)

// settings is what an edition's mails need besides its variants: headers, links and the return
// path. It is frozen with the edition, so that a reload of the configuration does not change the
// mails of an edition that is being sent.
type settings struct {
	Digest  string // name
	Title   string // in the site's language; variants have their own
	From    mailer.Address
	ReplyTo mailer.Address
	Owner   string // List-Owner address
	Domain  string // of the return path and Message-ID
	Site    string // URL that links begin with

	ReturnPaths     bool // mail to signed return paths is read
	UnsubscribeMail bool // and mail to unsubscribe addresses
}

// listDomain returns the domain of List-Id: the site's, which stays the same when the return
// path changes.
func (s settings) listDomain() string {
	if site, err := url.Parse(s.Site); err == nil && site.Hostname() != "" {
		return site.Hostname()
	}
	return s.Domain
}

// settings returns the settings that a digest's next edition would be approved with.
func (e *Engine) settings(name string) (settings, error) {
	def, err := e.definition(name)
	if err != nil {
		return settings{}, err
	}
	out := settings{
		Digest: def.Name, Title: def.Title.String(), From: def.From, ReplyTo: def.ReplyTo, Owner: def.Owner,
		Domain: e.ReturnPath, Site: e.Site.URL, ReturnPaths: e.ReturnPaths, UnsubscribeMail: e.UnsubscribeMail,
	}
	if out.Domain == "" {
		_, out.Domain, _ = strings.Cut(def.From.Email, "@")
	}
	return out, nil
}

// settingsOf returns the settings that an edition was approved with, and the date of its mails.
// Editions that were approved by a version without frozen settings use the current settings and
// the date of their creation, as that version did.
func (e *Engine) settingsOf(edition store.Edition) (settings, time.Time, error) {
	if edition.Settings == "" {
		fixed, err := e.settings(edition.Digest)
		return fixed, edition.Created, err
	}
	var fixed settings
	if err := json.Unmarshal([]byte(edition.Settings), &fixed); err != nil {
		return fixed, time.Time{}, fmt.Errorf("the frozen settings of edition %s cannot be read: %w", edition.ID, err)
	}
	return fixed, mailDate(edition.Approved, edition), nil
}

// encode returns the settings in the form that the store keeps.
func (s settings) encode() (string, error) {
	text, err := json.Marshal(s)
	return string(text), err
}

// loadedEdition is an edition that is being sent.
type loadedEdition struct {
	store.Edition
	fixed settings
	date  time.Time // of all its mails
	paths *mailer.SignedAddresses
}

// maxLoaded bounds the number of editions in the cache.
const maxLoaded = 16

// load returns an edition by its number.
func (e *Engine) load(ctx context.Context, seq int64) (*loadedEdition, error) {
	if l, ok := e.editions.Get(seq); ok {
		return l, nil
	}
	edition, err := e.Store.EditionBySeq(ctx, seq)
	if err != nil {
		return nil, err
	}
	l := &loadedEdition{Edition: edition}
	if l.fixed, l.date, err = e.settingsOf(edition); err != nil {
		return nil, err
	}
	if l.paths, err = mailer.NewSignedAddresses(e.secret, l.fixed.Domain); err != nil {
		return nil, err
	}
	e.editions.Put(seq, l)
	return l, nil
}
