package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
)

// PreferenceGroup is a combination of topics and languages that subscribers of a digest have.
type PreferenceGroup struct {
	Topics       []string
	Language     string // of the articles to send
	MailLanguage string
	Count        int64  // of subscribers with this combination
	MaxID        int64  // the highest id of these subscribers
	topics       string // as stored
}

// PreferenceGroups returns the combinations among the active subscribers of a digest.
func (s *Store) PreferenceGroups(ctx context.Context, digestName string) ([]PreferenceGroup, error) {
	return s.readers.preferenceGroups(ctx, digestName)
}

func (c *conn) preferenceGroups(ctx context.Context, digestName string) ([]PreferenceGroup, error) {
	return c.groups(ctx, "recipients.preferences", digestName)
}

// groups returns the combinations that a query finds. The query gets two more parameters: the
// subscriber after whom it begins, and the number of subscribers.
func (c *conn) groups(ctx context.Context, query string, args ...any) ([]PreferenceGroup, error) {
	known := map[[3]string]int{}
	var out []PreferenceGroup
	step, after := c.rangeSize(1), int64(0)
	for {
		seen := int64(0)
		err := c.Each(ctx, query, append(slices.Clone(args), after, step), func(rows *sql.Rows) error {
			var g PreferenceGroup
			if err := rows.Scan(&g.topics, &g.Language, &g.MailLanguage, &g.Count, &g.MaxID); err != nil {
				return err
			}
			seen += g.Count
			after = max(after, g.MaxID)
			at, found := known[g.key()]
			if !found {
				known[g.key()] = len(out)
				out = append(out, g)
				return readTopics(g.topics, &out[len(out)-1].Topics)
			}
			out[at].Count += g.Count
			out[at].MaxID = max(out[at].MaxID, g.MaxID)
			return nil
		})
		if err != nil || seen < step {
			return out, err
		}
	}
}

// key identifies a combination.
func (g *PreferenceGroup) key() [3]string { return [3]string{g.topics, g.Language, g.MailLanguage} }

// rangeSize returns how many subscribers one statement handles, a multiple of unit. SQLite
// sorts and counts in this process, whose memory must not grow with the list; PostgreSQL
// handles all at once.
func (c *conn) rangeSize(unit int64) int64 {
	if c.Engine == Postgres {
		return math.MaxInt64
	}
	return max(1, c.stride/unit) * unit
}

// freezeStride is the usual stride of a conn.
const freezeStride = 20_000

// NoVariant stands for the variant of subscribers for whom an edition has no content.
const NoVariant = -1

// Frozen is the content that an edition is approved with.
type Frozen struct {
	Groups    []PreferenceGroup
	Choice    []int    // the number of the variant for each group, or NoVariant
	Reasons   []string // for each group without a variant, why its subscribers are skipped
	ChunkSize int
	Approved  time.Time // the date of the edition's mails; zero for the time of the commit
	Settings  string    // kept with the edition
	Articles  []string  // ids of the articles in the edition; the others of the draft wait again
	Approval  *Approval // recorded with it; nil for none
	Audience  *Audience // of a message; nil for the subscribers of the edition's digest
	UndoUntil time.Time // no mail is sent before; zero for no wait

	packed [][]byte // compressed variants, since variants are large and repetitive
}

// Add adds a variant and returns its number.
func (f *Frozen) Add(v digest.Variant) (int, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return 0, err
	}
	if err := errors.Join(json.NewEncoder(w).Encode(v), w.Close()); err != nil {
		return 0, fmt.Errorf("variant %q: %w", v.Key, err)
	}
	f.packed = append(f.packed, bytes.Clone(out.Bytes()))
	return len(f.packed) - 1, nil
}

// Variants returns the number of variants.
func (f *Frozen) Variants() int { return len(f.packed) }

// unpack returns a variant as it is stored, in JSON.
func unpack(packed []byte) (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(r)
	return string(bytes.TrimSpace(data)), err
}

// ErrRecipientsChanged reports that the preferences of recipients changed while an edition
// was rendered. The edition must be rendered again.
var ErrRecipientsChanged = errors.New("the recipients changed meanwhile")

// ErrDraftChanged reports that a draft got another subject or other articles while it was
// rendered. The edition must be rendered again.
var ErrDraftChanged = errors.New("the draft changed meanwhile")

// Approve freezes a draft: it stores the variants, and a queued delivery for every active
// subscriber of the digest, divided into chunks. It returns a *StateError if the edition is
// no longer a draft, ErrDraftChanged if the draft is not the one that was rendered,
// ErrRecipientsChanged if a recipient has preferences without a variant, and
// ErrQuarantined.
func (s *Store) Approve(ctx context.Context, e Edition, f Frozen) (Edition, error) {
	choice, err := f.choices()
	if err != nil {
		return e, err
	}
	err = s.write(ctx, func(tx *conn) error {
		now := f.Approved
		if now.IsZero() {
			now = s.Now()
		}
		if err := tx.useSnapshot(ctx); err != nil {
			return err
		}
		if err := s.checkNotQuarantined(ctx, tx); err != nil {
			return err
		}
		recipients, err := countRecipients(ctx, tx, e.Digest, f)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "edition.approve", e.ID, millis(now), recipients.Count, recipients.MaxID, f.Settings, millis(e.Created), e.Subject, encodeEdits(e.Edits), e.Audience, millis(f.UndoUntil))
		if err != nil {
			return err
		}
		if n == 0 {
			return draftError(ctx, tx, e.ID, digest.Approved)
		}
		noteAuditObject(ctx, e.ID)
		if f.Approval != nil {
			if err := putApproval(ctx, tx, e.Seq, *f.Approval); err != nil {
				return err
			}
		}
		if err := dropArticles(ctx, tx, e, f.Articles); err != nil {
			return err
		}
		if err := insertVariants(ctx, tx, e.Seq, f.packed); err != nil {
			return err
		}
		n, err = tx.freeze(ctx, e, f, choice, millis(now))
		if err != nil {
			return err
		}
		if n != recipients.Count {
			return ErrRecipientsChanged
		}
		e.State, e.Approved, e.Recipients, e.UndoUntil, e.Reason = digest.Approved, now, recipients, f.UndoUntil, ""
		if n > 0 || e.SendAt.After(s.Now()) || e.UndoUntil.After(s.Now()) {
			return nil
		}
		// Without recipients the edition is sent at once.
		if err := s.startEdition(ctx, tx, e.Seq); err != nil {
			return err
		}
		e.State, e.Started, e.Finished = digest.Sent, now, now
		_, err = s.finish(ctx, tx, e.Seq)
		return err
	})
	return e, err
}

// draftError returns the reason why a draft could not be changed. want is the state that it should
// have got.
func draftError(ctx context.Context, tx *conn, id string, want digest.State) error {
	found, err := tx.editions(ctx, "edition.get", id)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return notFound("edition", id)
	}
	if found[0].State == digest.Draft {
		return ErrDraftChanged
	}
	return &StateError{Edition: id, Have: found[0].State, Want: want}
}

// dropArticles removes the articles of a draft that are not among the frozen ones, because
// they were withdrawn. If they are restored, they wait for another edition.
func dropArticles(ctx context.Context, tx *conn, e Edition, frozen []string) error {
	if frozen == nil {
		return nil
	}
	for _, id := range e.Articles {
		if slices.Contains(frozen, id) {
			continue
		}
		if _, err := tx.Exec(ctx, "edition.dropArticle", e.Seq, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "ledger.drop", e.Digest, id, e.ID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "queue.released", e.Digest); err != nil {
			return err
		}
	}
	return nil
}

// freeze stores a delivery for every recipient of an edition, and the chunks. It returns
// the number of recipients.
func (c *conn) freeze(ctx context.Context, e Edition, f Frozen, choice string, now int64) (int64, error) {
	size := int64(f.ChunkSize)
	step, after, total := c.rangeSize(size), int64(0), int64(0)
	if _, err := c.Exec(ctx, "recipients.setVariants", e.Seq, choice); err != nil {
		return 0, err
	}
	insert, err := c.freezeRange(ctx, e, f, now)
	if err != nil {
		return 0, err
	}
	for {
		n, err := insert(after, step, total/size)
		if err != nil {
			return 0, err
		}
		if _, err := c.Exec(ctx, "recipients.chunks", e.Seq, after); err != nil {
			return 0, err
		}
		if total += n; n < step {
			if _, err := c.Exec(ctx, "recipients.clearVariants", e.Seq); err != nil {
				return 0, err
			}
			// If the edition was being sent when the store was lost, some recipients have it.
			_, err := c.Exec(ctx, "quarantine.markRecipients", e.Seq, e.ID, sentBeforeRestore, now)
			return total, err
		}
		if _, err := c.One(ctx, "recipients.last", []any{e.Seq}, &after); err != nil {
			return 0, err
		}
	}
}

// freezeRange returns a function that stores the deliveries of the next step recipients after a
// subscriber, in chunks from a number on, and returns how many it stored.
func (c *conn) freezeRange(ctx context.Context, e Edition, f Frozen, now int64) (func(after, step, chunk int64) (int64, error), error) {
	if f.Audience == nil {
		return func(after, step, chunk int64) (int64, error) {
			return c.Exec(ctx, "recipients.freeze", e.Seq, e.Digest, int64(f.ChunkSize), now, after, step, chunk)
		}, nil
	}
	args, err := c.audienceArgs(ctx, *f.Audience)
	return func(after, step, chunk int64) (int64, error) {
		return c.Exec(ctx, f.Audience.query("message.freezeOfDigest", "message.freeze"), append(slices.Clone(args), after, step, e.Seq, int64(f.ChunkSize), now, chunk)...)
	}, err
}

// useSnapshot makes all statements of a transaction see the store at one point in time, as
// on SQLite they always do. Subscribers who join or leave meanwhile are handled by the next
// edition.
func (c *conn) useSnapshot(ctx context.Context) error {
	if c.Engine != Postgres {
		return nil
	}
	_, err := c.ExecContext(ctx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
	return err
}

// countRecipients counts the recipients and checks that the edition was rendered for the
// preferences of all of them.
func countRecipients(ctx context.Context, tx *conn, digestName string, f Frozen) (digest.Recipients, error) {
	var groups []PreferenceGroup
	var err error
	if f.Audience == nil {
		groups, err = tx.preferenceGroups(ctx, digestName)
	} else {
		groups, err = tx.messageGroups(ctx, *f.Audience)
	}
	if err != nil {
		return digest.Recipients{}, err
	}
	known := map[[3]string]bool{}
	for _, g := range f.Groups {
		known[g.key()] = true
	}
	var recipients digest.Recipients
	for _, g := range groups {
		if !known[g.key()] {
			return recipients, ErrRecipientsChanged
		}
		recipients.Count += g.Count
		recipients.MaxID = max(recipients.MaxID, g.MaxID)
	}
	return recipients, nil
}

// insertVariants stores compressed variants as JSON, numbered from 0.
func insertVariants(ctx context.Context, tx *conn, seq int64, packed [][]byte) error {
	for i := range packed {
		data, err := unpack(packed[i])
		if err != nil {
			return fmt.Errorf("variant %d: %w", i, err)
		}
		if _, err := tx.Exec(ctx, "variant.insert", seq, i, data); err != nil {
			return err
		}
	}
	return nil
}

// choices returns the variant of each group as JSON, for the query.
func (f Frozen) choices() (string, error) {
	type row struct {
		Topics   string `json:"t"`
		Language string `json:"l"`
		Mail     string `json:"m"`
		Variant  int    `json:"v"`
		Reason   string `json:"r"`
	}
	rows := make([]row, len(f.Groups))
	for i, g := range f.Groups {
		rows[i] = row{g.topics, g.Language, g.MailLanguage, f.Choice[i], ""}
		if f.Choice[i] < 0 {
			rows[i].Reason = f.Reasons[i]
		}
	}
	data, err := json.Marshal(rows)
	return string(data), err
}

// Variant returns one frozen variant of an edition.
func (s *Store) Variant(ctx context.Context, seq int64, number int) (digest.Variant, error) {
	return s.variant(ctx, "variant.get", seq, number)
}

// VariantFor returns the frozen variant of a subscriber's mail, and its number,
// or ErrNotFound when the edition has none for them.
func (s *Store) VariantFor(ctx context.Context, seq, subscriber int64) (number int, v digest.Variant, err error) {
	var data string
	found, err := s.readers.One(ctx, "variant.ofSubscriber", []any{seq, subscriber}, &number, &data)
	if err == nil && !found {
		err = notFound("variant for", subscriber)
	}
	if err != nil {
		return 0, v, err
	}
	return number, v, json.Unmarshal([]byte(data), &v)
}

// FullVariant returns the longest frozen variant of an edition, or ErrNotFound if it has
// none.
func (s *Store) FullVariant(ctx context.Context, seq int64) (digest.Variant, error) {
	return s.variant(ctx, "variant.longest", seq)
}

// variantSample is how many recipients are read to find the variant that most of them get.
const variantSample = 10_000

// TypicalVariant returns the frozen variant of an edition that is shown first: the longest one in a
// language, such as the site's, whatever the region; if there is none, the one with the most recipients,
// judged by the first 10,000, and of several the longest. It returns ErrNotFound if the edition has no
// variant.
func (s *Store) TypicalVariant(ctx context.Context, seq int64, language string) (digest.Variant, error) {
	tag := strings.ToLower(language)
	primary, _, _ := strings.Cut(tag, "-")
	v, err := s.variant(ctx, "variant.inLanguage", seq, tag, primary)
	if !errors.Is(err, ErrNotFound) {
		return v, err
	}
	return s.variant(ctx, "variant.frequent", seq, variantSample)
}

func (s *Store) variant(ctx context.Context, query string, args ...any) (digest.Variant, error) {
	var v digest.Variant
	var data string
	found, err := s.readers.One(ctx, query, args, &data)
	if err == nil && !found {
		err = notFound("variant", args)
	}
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal([]byte(data), &v)
}
