// Package journal is an append-only file beside the store that keeps what must not
// be forgotten when the store is restored from an older copy: which editions left
// and for whom, and who unsubscribed, was suppressed or erased. A Journal appends;
// Read returns what the files of a folder know.
//
// It holds no personal data: numbers of subscribers, keyed hashes of addresses,
// ids and subjects of editions. docs/backup.md describes the format.
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
	headerKind   kind = 'H' // generation, id of the journal
	beginKind    kind = 'B' // an edition begins to be sent
	endKind      kind = 'E' // it was sent, cancelled or failed
	intentKind   kind = 'I' // mails of it are about to leave
	deferredKind kind = 'D' // mails of it did not leave after all: they wait for another try
	stateKind    kind = 'S' // a subscriber's state
	leaveKind    kind = 'L' // a subscriber left a digest, or all
	joinKind     kind = 'J' // a subscriber joined a digest
	suppressKind kind = 'P' // an address was suppressed
	liftKind     kind = 'U' // it is not any more
	articleKind  kind = 'A' // an article got its id
)

// Record is one line of a journal.
type Record struct {
	kind   kind
	at     int64 // Unix milliseconds
	mark   int64
	fields []string
	ids    []int64 // of subscribers, for intents
}

// Edition is what a journal keeps of an edition.
type Edition struct {
	Seq          int64 // names it in intents
	ID           string
	Digest       string
	Number       int
	ScheduledFor string
	Subject      string
	Audience     int64
	Articles     []string
	Began        time.Time
	Ended        time.Time // zero while it is being sent
	State        string    // when it ended
	Left         map[int64]bool
}

// Begin records that an edition begins to be sent.
func Begin(e Edition) Record {
	return Record{kind: beginKind, fields: []string{
		number(e.Seq), e.ID, e.Digest, number(int64(e.Number)), e.ScheduledFor, number(e.Audience), e.Subject, strings.Join(e.Articles, ","),
	}}
}

// EndBySeq records that an edition was sent.
func EndBySeq(seq int64, state string) Record {
	return Record{kind: endKind, fields: []string{number(seq), "", state}}
}

// EndByID records that an edition was cancelled or failed.
func EndByID(id, state string) Record {
	return Record{kind: endKind, fields: []string{"", id, state}}
}

// Intents records that mails of an edition are about to leave for some subscribers.
func Intents(seq int64, subscribers []int64) Record {
	return Record{kind: intentKind, fields: []string{number(seq)}, ids: subscribers}
}

// Deferred records that mails did not leave and wait for another try.
func Deferred(seq int64, subscribers []int64) Record {
	return Record{kind: deferredKind, fields: []string{number(seq)}, ids: subscribers}
}

// State records a subscriber's new state.
func State(subscriber int64, state string) Record {
	return Record{kind: stateKind, fields: []string{number(subscriber), state}}
}

// Leave records that a subscriber left a digest; all of them when it is empty.
func Leave(subscriber int64, digest string) Record {
	return Record{kind: leaveKind, fields: []string{number(subscriber), digest}}
}

// Join records that a subscriber joined a digest.
func Join(subscriber int64, digest string) Record {
	return Record{kind: joinKind, fields: []string{number(subscriber), digest}}
}

// Suppress records that an address, given by its keyed hash in hex, is suppressed.
func Suppress(hash, reason string) Record {
	return Record{kind: suppressKind, fields: []string{hash, reason}}
}

// Lift records that an address is not suppressed any more.
func Lift(hash string) Record { return Record{kind: liftKind, fields: []string{hash}} }

// Article records the id of a new article and a hash of where it comes from.
func Article(id, source string) Record {
	return Record{kind: articleKind, fields: []string{id, source}}
}

func header(generation, id string) Record {
	return Record{kind: headerKind, fields: []string{generation, id}}
}

func number(n int64) string { return strconv.FormatInt(n, 36) }

func parseNumber(text string) int64 {
	n, _ := strconv.ParseInt(text, 36, 64)
	return n
}

var table = crc32.MakeTable(crc32.Castagnoli)

// append writes the record as a line: the kind, time, mark, fields and numbers with a
// space between them, and a checksum of all that.
func (r *Record) append(line []byte) []byte {
	from := len(line)
	line = append(line, byte(r.kind), ' ')
	line = strconv.AppendInt(line, r.at, 36)
	line = append(line, ' ')
	line = strconv.AppendInt(line, r.mark, 36)
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

// escape writes a text without spaces and line ends, and never empty.
func escape(text string) string {
	if text == "" {
		return "-"
	}
	if text == "-" {
		return "%2D"
	}
	return url.QueryEscape(text)
}

// parse reads a line without its end. It returns false for what is damaged.
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
	r := Record{kind: kind(parts[0][0]), at: parseNumber(parts[1]), mark: parseNumber(parts[2])}
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

// fieldsOf is how many fields a record of a kind has at least.
var fieldsOf = map[kind]int{
	headerKind: 2, beginKind: 8, endKind: 3, intentKind: 1, deferredKind: 1, stateKind: 2, leaveKind: 2, joinKind: 2,
	suppressKind: 2, liftKind: 1, articleKind: 2,
}
