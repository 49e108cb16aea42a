package delivery

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lru"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
)

// compiledVariant is a variant that is ready to be rendered for subscribers.
type compiledVariant struct {
	*mailer.Compiled
	anonymousName string // for subscribers without a name
	page          string // path of the public page with the same articles
}

// compiledCache keeps the most recently used compiled variants of all editions. The node that
// approves an edition stores its variants here; other nodes compile a variant for the first mail
// that needs it. A node compiles a variant again only after the cache has dropped it.
type compiledCache struct {
	*lru.Cache[variantKey, *compiledVariant]
	compiling singleflight.Group
}

func newCompiledCache() *compiledCache {
	return &compiledCache{Cache: lru.New[variantKey](maxCompiledBytes, func(v *compiledVariant) int64 { return int64(v.Memory()) }, nil)}
}

// variantKey names a variant. An edition whose approval was undone is approved a second time, with
// other variants.
type variantKey struct {
	edition  int64
	approved int64 // in milliseconds
	number   int
}

func keyOf(edition store.Edition, number int) variantKey {
	return variantKey{edition.Seq, edition.Approved.UnixMilli(), number}
}

// maxCompiledBytes bounds the cache. A compiled variant is about as large as its mail. Variants
// that do not fit are compiled again, at some 200 times the cost of rendering.
const maxCompiledBytes = 24 << 20

// of returns a variant from the cache, or compiles it. Other variants can be read meanwhile.
func (c *compiledCache) of(key variantKey, compile func() (*compiledVariant, error)) (*compiledVariant, error) {
	if have, ok := c.Get(key); ok {
		return have, nil
	}
	made, err, _ := c.compiling.Do(fmt.Sprint(key), func() (any, error) {
		if have, ok := c.Get(key); ok {
			return have, nil
		}
		made, err := compile()
		if err == nil {
			c.Put(key, made)
		}
		return made, err
	})
	if err != nil {
		return nil, err
	}
	return made.(*compiledVariant), nil
}

// compiledVariant returns a variant of an edition from the cache, or compiles it.
func (e *Engine) compiledVariant(ctx context.Context, l *loadedEdition, number int) (*compiledVariant, error) {
	return e.compiled.of(keyOf(l.Edition, number), func() (*compiledVariant, error) {
		variant, err := e.Store.Variant(ctx, l.Seq, number)
		if err != nil {
			return nil, err
		}
		return e.compile(l.fixed, l.date, variant, l.VariantPath(variant, number))
	})
}

// compile compiles a variant with all headers of a digest's mail. page is the path of the public
// page with its articles. date is the time of the approval, so that every try sends the same mail.
func (e *Engine) compile(fixed settings, date time.Time, v digest.Variant, page string) (*compiledVariant, error) {
	messageID, mailto := extraPlaceholders(v.Placeholders)
	list := fixed.list(v.Title, v.Edition, v.Placeholders.Unsubscribe, mailto)
	made, err := mailer.Compile(mailer.Message{
		From: fixed.From, ReplyTo: fixed.ReplyTo, To: mailer.Address{Email: v.Placeholders.Address},
		Subject: v.Subject, Date: date, MessageID: messageID, Text: v.Text, HTML: v.HTML,
		Headers: list.Headers(), Placeholders: append(v.Placeholders.All(), messageID, mailto),
	})
	if err != nil {
		return nil, fmt.Errorf("digest %s: %w", fixed.Digest, err)
	}
	return &compiledVariant{made, v.AnonymousName, page}, nil
}

// list returns the contents of the List headers of a mail. An empty title is the digest's; mailto is
// offered only if mail to it is read.
func (s settings) list(title, edition, unsubscribe, mailto string) mailer.List {
	if !s.UnsubscribeMail {
		mailto = ""
	}
	return mailer.List{
		Name: s.Digest, Domain: s.listDomain(), Title: cmp.Or(title, s.Title), Edition: edition,
		Subscribe:   strings.TrimSuffix(s.Site, "/") + "/subscribe?digest=" + url.QueryEscape(s.Digest),
		Unsubscribe: unsubscribe, Mailto: mailto,
		Help: s.Site, Archive: strings.TrimSuffix(s.Site, "/") + digest.ListPath(s.Digest), Owner: s.Owner,
	}
}

// extraPlaceholders returns two more placeholders that begin like the variant's: one for the
// Message-ID, one for the address in List-Unsubscribe.
func extraPlaceholders(h digest.Placeholders) (messageID, mailto string) {
	stem := strings.TrimSuffix(h.Name, "name")
	return stem + "msid", stem + "lsun"
}

// values appends the values of the placeholders for one subscriber to dst, in their order.
func (e *Engine) values(dst []string, m *compiledVariant, paths *mailer.SignedAddresses, l *loadedEdition, r store.Recipient, address subscriber.Address) []string {
	id := mailer.DeliveryID{Edition: l.ID, Person: token.PersonOf(r.UID)}
	links := e.links(l.fixed.Site, r.UID, cmp.Or(r.Digest, l.Digest), l.ID, m.page)
	return append(dst, cmp.Or(r.Name, m.anonymousName), address.ASCII(), links.Unsubscribe, links.Preferences, links.Web, paths.MessageID(id), paths.Unsubscribe(id))
}

// messageIDValue is the index of the Message-ID in what values appends.
const messageIDValue = 5

// links returns the URLs in a subscriber's mail. page is the path of the public page; it does
// not identify the subscriber, since people share it.
func (e *Engine) links(site string, person uuid.UUID, digestName, edition, page string) digest.Placeholders {
	site = strings.TrimSuffix(site, "/")
	return digest.Placeholders{
		Unsubscribe: site + "/unsubscribe/" + e.Keys.Sign(token.Unsubscribe, person, digestName, edition),
		Preferences: site + "/preferences/" + e.Keys.Sign(token.Preferences, person, digestName, ""),
		Web:         site + page,
	}
}

// paths returns the codec for a digest's signed addresses.
func (e *Engine) paths(def *Definition) (*mailer.SignedAddresses, error) {
	domain := e.ReturnPath
	if domain == "" {
		_, domain, _ = strings.Cut(def.From.Email, "@")
	}
	return mailer.NewSignedAddresses(e.secret, domain)
}

// returnPath returns the address that bounces of a mail go to: one that identifies the
// delivery if mail to such addresses is read, otherwise the sender's mailbox.
func (s settings) returnPath(paths *mailer.SignedAddresses, id mailer.DeliveryID) string {
	if !s.ReturnPaths {
		return s.From.Email
	}
	return paths.ReturnPath(id)
}
