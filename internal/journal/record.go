// Package journal is an append-only file beside the store. It keeps what a restore of an
// older copy of the store must not undo: which editions were sent and to whom, and which
// subscribers unsubscribed, were suppressed or were erased, which private feeds were closed, and
// which editors lost access. A Journal appends records; Read returns the combined content of
// the files in a folder.
//
// The file contains no personal data, only numbers of subscribers and editors, keyed hashes of
// addresses, and ids and subjects of editions. docs/backup.md describes the format.
package journal

import (
	"hash/crc32"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// kind is the first letter of a line.
type kind byte

// The kinds of records.
const (
	headerKind      kind = 'H' // generation of the store, id of the journal
	beginKind       kind = 'B' // the sending of an edition begins
	endKind         kind = 'E' // an edition was sent, cancelled or failed
	intentKind      kind = 'I' // mails of an edition are about to be sent
	deferredKind    kind = 'D' // mails of an edition were not sent and wait for another try
	stateKind       kind = 'S' // a subscriber's state
	unsubscribeKind kind = 'L' // a subscriber left a digest, or all
	subscribeKind   kind = 'J' // a subscriber joined a digest
	suppressKind    kind = 'P' // an address was suppressed
	unsuppressKind  kind = 'U' // the suppression of an address was lifted
	articleKind     kind = 'A' // an article got its id
	closeKind       kind = 'F' // the private feed of a subscriber and a digest was closed
	editorKind      kind = 'O' // an editor's access changed
)

// Record is one line of a journal.
type Record struct {
	kind     kind
	at       int64 // Unix milliseconds
	position int64
	fields   []string
	ids      []int64 // of subscribers, for intents
}

// Edition is an edition as a journal records it.
type Edition struct {
	Seq          int64 // the number by which intents refer to it
	ID           string
	Digest       string
	Number       int
	ScheduledFor string
	Subject      string
	Audience     int64
	Articles     []string
	Began        time.Time
	Ended        time.Time // zero while it is being sent
	State        string    // its final state; empty while it is being sent
	Mailed       map[int64]bool
}

// EditionBegun records that the sending of an edition begins.
func EditionBegun(e Edition) Record {
	return Record{kind: beginKind, fields: []string{
		number(e.Seq), e.ID, e.Digest, number(int64(e.Number)), e.ScheduledFor, number(e.Audience), e.Subject, strings.Join(e.Articles, ","),
	}}
}

// EditionEnded records that an edition was sent.
func EditionEnded(seq int64, state string) Record {
	return Record{kind: endKind, fields: []string{number(seq), "", state}}
}

// EditionEndedByID records that an edition was cancelled or failed.
func EditionEndedByID(id, state string) Record {
	return Record{kind: endKind, fields: []string{"", id, state}}
}

// MailsAttempted records that mails of an edition are about to be sent to some subscribers.
func MailsAttempted(seq int64, subscribers []int64) Record {
	return Record{kind: intentKind, fields: []string{number(seq)}, ids: subscribers}
}

// MailsDeferred records that mails were not sent and wait for another try.
func MailsDeferred(seq int64, subscribers []int64) Record {
	return Record{kind: deferredKind, fields: []string{number(seq)}, ids: subscribers}
}

// SubscriberState records a subscriber's new state.
func SubscriberState(subscriber int64, state string) Record {
	return Record{kind: stateKind, fields: []string{number(subscriber), state}}
}

// Unsubscribed records that a subscriber left a digest, or all digests when digest is empty.
func Unsubscribed(subscriber int64, digest string) Record {
	return Record{kind: unsubscribeKind, fields: []string{number(subscriber), digest}}
}

// Subscribed records that a subscriber joined a digest.
func Subscribed(subscriber int64, digest string) Record {
	return Record{kind: subscribeKind, fields: []string{number(subscriber), digest}}
}

// Suppressed records that an address, given by its keyed hash in hex, is suppressed.
func Suppressed(hash, reason string) Record {
	return Record{kind: suppressKind, fields: []string{hash, reason}}
}

// SuppressionLifted records that the suppression of an address was lifted.
func SuppressionLifted(hash string) Record {
	return Record{kind: unsuppressKind, fields: []string{hash}}
}

// ArticleStored records the id of a new article and a hash of its source.
func ArticleStored(id, source string) Record {
	return Record{kind: articleKind, fields: []string{id, source}}
}

// FeedClosed records that the private feed of a subscriber and a digest, as it was until now, was
// closed.
func FeedClosed(subscriber int64, digest string) Record {
	return Record{kind: closeKind, fields: []string{number(subscriber), digest}}
}

// AccessChanged records a change of an editor's access. For AccessRole, value is the new role, and for
// AccessPassword a hash of the stored hash of the new password, and for AccessFactor FactorOn or
// FactorOff.
func AccessChanged(editor int64, change AccessChange, value string) Record {
	return Record{kind: editorKind, fields: []string{number(editor), string(change), value}}
}

// AccessChange is a kind of change of an editor's access.
type AccessChange string

// The changes of an editor's access. AccessEnabled ends AccessDisabled.
const (
	AccessPassword AccessChange = "password" // the editor has another password
	AccessRole     AccessChange = "role"     // the editor has another role
	AccessFactor   AccessChange = "factor"   // two-step sign-in is on or off
	AccessDisabled AccessChange = "disabled" // the editor may not sign in
	AccessEnabled  AccessChange = "enabled"  // the editor may sign in again
	AccessRemoved  AccessChange = "removed"  // the editor was removed
	AccessPasskey  AccessChange = "passkey"  // a passkey of the editor was removed
	AccessProvider AccessChange = "provider" // an account at a provider of sign-ins no longer is the editor's
)

// MethodRemoved is the value of a passkey or an account at a provider that was removed.
const MethodRemoved = "removed"

// Method returns the change of one passkey or of one account at a provider, by its random id. change
// is AccessPasskey or AccessProvider.
func (change AccessChange) Method(id string) AccessChange { return change + AccessChange(" "+id) }

// MethodID returns the change and the id that Method joined; id is empty for other changes.
func (change AccessChange) MethodID() (kind AccessChange, id string) {
	before, id, _ := strings.Cut(string(change), " ")
	return AccessChange(before), id
}

// The values of AccessFactor.
const (
	FactorOn  = "on"
	FactorOff = "off"
)

func header(generation, id string) Record {
	return Record{kind: headerKind, fields: []string{generation, id}}
}

func number(n int64) string { return strconv.FormatInt(n, 36) }

func parseNumber(text string) int64 {
	n, _ := strconv.ParseInt(text, 36, 64)
	return n
}

var table = crc32.MakeTable(crc32.Castagnoli)

// append appends the record to line as text: the kind, time, position, fields and numbers,
// separated by spaces, followed by a checksum of all of these.
func (r *Record) append(line []byte) []byte {
	from := len(line)
	line = append(line, byte(r.kind), ' ')
	line = strconv.AppendInt(line, r.at, 36)
	line = append(line, ' ')
	line = strconv.AppendInt(line, r.position, 36)
	for _, field := range r.fields {
		line = append(line, ' ')
		line = append(line, escape(field)...)
	}
	for _, id := range r.ids {
		line = append(line, ' ')
		line = strconv.AppendInt(line, id, 36)
	}
	sum := crc32.Checksum(line[from:], table)
	line = append(line, ' ')
	line = strconv.AppendUint(line, uint64(sum), 36)
	return append(line, '\n')
}

// escape encodes a text so that it contains no spaces or line ends and is never empty.
func escape(text string) string {
	if text == "" {
		return "-"
	}
	if text == "-" {
		return "%2D"
	}
	return url.QueryEscape(text)
}

// parse reads a line without its line end. It returns false if the line is damaged.
func parse(line string) (Record, bool) {
	at := strings.LastIndexByte(line, ' ')
	if at < 0 {
		return Record{}, false
	}
	sum, err := strconv.ParseUint(line[at+1:], 36, 32)
	if err != nil || uint32(sum) != crc32.Checksum([]byte(line[:at]), table) {
		return Record{}, false
	}
	parts := strings.Split(line[:at], " ")
	if len(parts) < 3 || len(parts[0]) != 1 {
		return Record{}, false
	}
	r := Record{kind: kind(parts[0][0]), at: parseNumber(parts[1]), position: parseNumber(parts[2])}
	parts = parts[3:]
	if r.kind == intentKind || r.kind == deferredKind {
		if len(parts) == 0 {
			return r, false
		}
		for _, id := range parts[1:] {
			r.ids = append(r.ids, parseNumber(id))
		}
		parts = parts[:1]
	}
	for _, part := range parts {
		field := ""
		if part != "-" {
			if field, err = url.QueryUnescape(part); err != nil {
				return r, false
			}
		}
		r.fields = append(r.fields, field)
	}
	return r, len(r.fields) >= fieldsOf[r.kind]
}

// fieldsOf is the minimum number of fields of each kind of record.
var fieldsOf = map[kind]int{
	headerKind: 2, beginKind: 8, endKind: 3, intentKind: 1, deferredKind: 1, stateKind: 2, unsubscribeKind: 2, subscribeKind: 2,
	suppressKind: 2, unsuppressKind: 1, articleKind: 2, closeKind: 2, editorKind: 3,
}
