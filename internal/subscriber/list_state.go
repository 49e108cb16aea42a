package subscriber

import (
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// answer is the value of a cell that should be yes or no.
type answer int

const (
	unclear answer = iota
	empty
	yes
	no
)

// answers maps the words that lists use, in lower case, to answers.
var answers = func() map[string]answer {
	out := map[string]answer{}
	for word := range strings.FieldsSeq("true t yes y 1 1.0 on x ✓ ✔ ☑ oui o vrai ja j wahr si sì sí s sim") {
		out[word] = yes
	}
	for word := range strings.FieldsSeq("false f no n 0 0.0 off non faux nein falsch nao não never ✗ ✘ ☐") {
		out[word] = no
	}
	for word := range strings.FieldsSeq("null none nil - – — n/a na undefined nan (null) \\n") {
		out[word] = empty
	}
	return out
}()

// answerOf reads a cell that should be yes or no. A date means yes. The zero dates of
// databases count as empty.
func answerOf(value string) answer {
	if value == "" {
		return empty
	}
	if a, ok := answers[strings.ToLower(value)]; ok {
		return a
	}
	if strings.HasPrefix(value, "0000-00-00") || strings.HasPrefix(value, "1970-01-01") || strings.HasPrefix(value, "0001-01-01") {
		return empty
	}
	if looksLikeDate(value) {
		return yes
	}
	return unclear
}

var (
	datePattern  = regexp.MustCompile(`^\d{1,4}[-/. ]\d{1,2}[-/. ]\d{1,4}([T ,].*)?$`)
	epochPattern = regexp.MustCompile(`^\d{9,13}(\.\d+)?$`)
	monthPattern = regexp.MustCompile(`(?i)^([a-z]{2,10}[,.]* )?(\d{1,2}(st|nd|rd|th|\.)?[ -]+)?` +
		`(jan|feb|fev|fév|mar|mär|mrz|apr|avr|may|mai|jun|juin|jul|juil|aug|aou|aoû|sep|oct|okt|nov|dec|déc|dez)[a-zéûä]{0,8}\.?[ -]+\d{1,4}`)
)

// looksLikeDate reports whether a value is a date in any usual form. The day itself may be
// ambiguous: a column such as "unsubscribed at" only needs to know that there is a date.
func looksLikeDate(value string) bool {
	if !strings.ContainsAny(value, "0123456789") {
		return false
	}
	if epochPattern.MatchString(value) || datePattern.MatchString(value) {
		return true
	}
	return monthPattern.MatchString(value)
}

// dateLayouts are the forms of dates in which the day is unambiguous.
var dateLayouts = []string{
	time.RFC3339, time.DateTime, time.DateOnly, "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05 -0700 MST", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05-07", "2006-01-02 15:04:05 -07", "2006-01-02T15:04:05-0700", "2006/01/02", "2006/01/02 15:04:05", "2006/01/02 15:04",
	"02.01.2006", "2.1.2006", "02.01.2006 15:04", "02.01.2006 15:04:05", "2.1.2006 15:04", "2 Jan 2006", "2 January 2006", "Jan 2, 2006", "January 2, 2006", "Jan 2 2006",
	"2 Jan 2006 15:04", "Jan 2, 2006 15:04", "Jan 2, 2006 3:04 PM", "January 2, 2006 15:04", "January 2, 2006 3:04 PM", time.RFC1123, time.RFC1123Z, time.ANSIC, time.UnixDate, "02-Jan-2006", "2-Jan-06",
}

// dateOf reads an unambiguous date. It returns false for dates such as 02/03/2024, and for those with the
// name of a timezone that has several meanings.
func dateOf(value string) (time.Time, bool) {
	for _, layout := range dateLayouts {
		// In another location than UTC, names of timezones would depend on the machine.
		at, err := time.ParseInLocation(layout, value, time.UTC)
		if err != nil {
			continue
		}
		if !strings.Contains(layout, "MST") || strings.Contains(layout, "-0700") {
			return at.UTC(), true
		}
		name, offset := at.Zone()
		hours, known := zoneHours[name]
		switch {
		case known: // the package time takes every name for UTC
			at = at.Add(-time.Duration(hours * float64(time.Hour)))
		case strings.HasPrefix(name, "GMT"): // such as GMT+3
			at = at.Add(-time.Duration(offset) * time.Second)
		case strings.HasPrefix(name, "+"), strings.HasPrefix(name, "-"): // another form has the number
			continue
		default:
			return time.Time{}, false
		}
		return at.UTC(), true
	}
	return time.Time{}, false
}

// zoneHours are the names of timezones with one meaning, and those that RFC 5322, section 4.3, gives one,
// with their hours ahead of UTC.
var zoneHours = map[string]float64{
	"UTC": 0, "GMT": 0, "UCT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
	"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "NST": -3.5, "NDT": -2.5,
	"JST": 9, "KST": 9, "HKT": 8, "AWST": 8, "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "SAST": 2, "WAT": 1, "EAT": 3,
}

// stateWords maps the words of other systems for the states of a subscriber, in the form of
// headingKey, to states.
var stateWords = func() map[string]State {
	out := map[string]State{}
	for state, words := range map[State]string{
		Active: `active, subscribed, enabled, confirmed, verified, regular, premium, gifted, trialed, opted in, opt in, optin, activated, current, mailable, granted, given, consented, allowed,
			actif, active abonne, abonne, inscrit, aktiv, abonniert, angemeldet, bestatigt, erteilt`,
		Pending: `pending, unconfirmed, unactivated, not confirmed, not verified, unverified, not activated, awaiting confirmation, waiting for confirmation, pending confirmation, pending opt in, pending double opt in, opt in pending, validating, invited,
			awaiting, waiting, needs confirmation, en attente, non confirme, ausstehend, unbestatigt, nicht bestatigt`,
		Paused: `paused, on hold, vacation, snoozed, by user, muted, pausiert, en pause`,
		Unsubscribed: `unsubscribed, unsubscribe, unsub, opted out, opt out, optout, cancelled, canceled, inactive, disabled, deactivated, blocked, blocklisted, blacklisted, block listed, black listed, deleted, removed, archived, left,
			do not email, do not mail, do not contact, do not send, dnc, suppressed, non subscribed, not subscribed, never subscribed, nonsubscribed, transactional, globally unsubscribed, global unsubscribe, spammy, banned, suspended, excluded, quit, by moderator, resigned, opted out of email,
			withdrawn, revoked, refused, declined, denied, rejected, not given, not granted, no consent, not consented, not opted in, disallowed, not active, not allowed, not enabled, unmailable, dead lead,
			desabonne, desinscrit, desactive, bloque, supprime, inactif, annule, resilie, abgemeldet, ausgetragen, gesperrt, inaktiv, deaktiviert, geloscht, gekundigt, widerrufen, nicht aktiv, nicht angemeldet, nicht abonniert, non abonne, non inscrit`,
		Bounced: `bounced, bounce, cleaned, hard bounced, hard bounce, hardbounce, undeliverable, invalid, invalid email, invalid address, non existent, nonexistent, unreachable, by bounces, dead, not deliverable, undelivered, email invalid, permanent bounce,
			rejete, invalide, unzustellbar, ungultig`,
		Complained: `complained, complaint, complainer, complaining, spam, marked as spam, marked spam, spam complaint, spam complained, spam reported, reported spam, reported as spam, spam report, abuse, abuse report, abuse complaint, junk, plainte, beschwerde`,
		Erased:     `erased, forgotten, anonymized, anonymised, gdpr deleted, gdpr forgotten, permanently deleted, oublie`,
	} {
		for word := range setOf(words) {
			out[word] = state
		}
	}
	return out
}()

// stateOf returns the state that a word stands for, and an empty state for an unknown word.
// Text in brackets after the word is ignored.
func stateOf(value string) State {
	if !mayMatch(statePrefixes, value) {
		return ""
	}
	if state, ok := stateWords[headingKey(value)]; ok {
		return state
	}
	if open := strings.IndexAny(value, "(["); open > 0 {
		return stateWords[headingKey(value[:open])]
	}
	return ""
}

// departureWords mean in any column that the person must not be mailed. Columns whose heading
// is not about the state are checked for them; see checkDeparture.
var departureWords = setOf(`unsubscribed, unsub, opted out, opt out, optout, do not email, do not mail, do not contact, do not send, bounced, hard bounced, hard bounce, complained, spam complaint,
	marked as spam, cleaned, blacklisted, blocklisted, suppressed, no consent, consent withdrawn, desabonne, desinscrit, abgemeldet, ausgetragen`)

// statePrefixes and departurePrefixes hold the first two letters of the words; see mayMatch.
var (
	statePrefixes     = prefixesOf(maps.Keys(stateWords))
	departurePrefixes = prefixesOf(maps.Keys(departureWords))
)

// prefixesOf returns the first two bytes of each word.
func prefixesOf(words iter.Seq[string]) map[string]bool {
	out := map[string]bool{}
	for word := range words {
		out[word[:2]] = true
	}
	return out
}

// mayMatch reports whether a cell may be one of the words with these prefixes. It rules out
// most cells cheaply, before their text is normalized.
func mayMatch(starts map[string]bool, cell string) bool {
	if len(cell) < 3 || len(cell) > 100 {
		return false
	}
	a, b := cell[0]|0x20, cell[1]|0x20
	return a >= 0x80 || b >= 0x80 || starts[string([]byte{a, b})]
}

// severity ranks the states: the higher, the more it speaks against mailing the person.
func severity(s State) int {
	return slices.Index([]State{"", Active, Paused, Pending, Unsubscribed, Bounced, Complained, Erased}, s)
}

// Worse reports whether s is more severe than other, that is, speaks more against mailing the
// person.
func (s State) Worse(other State) bool { return severity(s) > severity(other) }

// Gone reports whether a person in this state must not be mailed unless they subscribe again.
func (s State) Gone() bool {
	return s == Unsubscribed || s == Bounced || s == Complained || s == Erased
}

// lineState collects the state of a line: the most severe state of all its columns, and the
// error of the first cell that was not understood.
type lineState struct {
	state   State
	unclear *LineError
}

func (v *lineState) add(s State) {
	if s.Worse(v.state) {
		v.state = s
	}
}

func (v *lineState) addUnclear(c *Column, value string) {
	if v.unclear != nil {
		return
	}
	what := fmt.Sprintf("column %s holds %s, which is not understood", quoteShort(c.Heading), quoteShort(value))
	if value == "" {
		what = fmt.Sprintf("column %s is empty", quoteShort(c.Heading))
	}
	v.unclear = &LineError{Reason: "state not understood", What: what, Expected: c.expects(), Heading: c.Heading, Value: value}
}

// expects returns what a column may hold, for messages.
func (c *Column) expects() string {
	switch c.Meaning {
	case MeansState:
		return "active, unsubscribed, bounced or another word for a state; or leave the column out by its name"
	case MeansBounceType:
		return "hard or soft; or leave the column out by its name"
	}
	return "yes, no or a date; or leave the column out by its name"
}

// cellCache caches the states of cells, since most lists repeat a few values.
type cellCache map[cellKey]cellState

type cellKey struct {
	meaning Meaning
	value   string
}

type cellState struct {
	state  State
	clear  bool // the cell was understood
	mapped bool // the state was given by a word of another system
}

// maxCachedCells bounds the cache, since dates differ on every line.
const maxCachedCells = 1000

// readState adds the state of a cell to the state of its line.
func (l *List) readState(c *Column, value string, v *lineState) {
	key := cellKey{c.Meaning, value}
	cell, known := l.cells[key]
	if !known {
		cell = cellStateOf(c.Meaning, value)
		if len(l.cells) < maxCachedCells {
			l.cells[key] = cell
		}
	}
	if !cell.clear {
		v.addUnclear(c, value)
		return
	}
	v.add(cell.state)
	if cell.mapped {
		l.noteMapped(c, value, cell.state)
	}
}

// maxMapped is the maximum number of different words that are counted for the summary.
const maxMapped = 100

func (l *List) noteMapped(c *Column, value string, s State) {
	m := Mapped{Heading: c.Heading, Value: value, State: s}
	if _, known := l.mapped[m]; known || len(l.mapped) < maxMapped {
		l.mapped[m]++
	}
}

// cellStateOf returns the state that a cell gives in a column of this meaning.
func cellStateOf(m Meaning, value string) cellState {
	if m == MeansLeftBecause {
		return reasonState(value)
	}
	a := answerOf(value)
	if m == MeansState && a != empty || a == unclear {
		return wordState(m, value)
	}
	switch m {
	case MeansStays:
		switch a {
		case yes:
			return cellState{state: Active, clear: true}
		case no:
			return cellState{state: Unsubscribed, clear: true}
		}
		return cellState{} // an empty cell is not consent
	case MeansConfirmed:
		if a == no || a == empty {
			return cellState{state: Pending, clear: true}
		}
		return cellState{clear: true}
	case MeansBounceType:
		return cellState{clear: a != yes}
	}
	if a != yes {
		return cellState{clear: true}
	}
	return cellState{state: map[Meaning]State{MeansLeft: Unsubscribed, MeansBounced: Bounced, MeansComplained: Complained}[m], clear: true}
}

// reasonState reads a cell with the reason why a person left. Any text means that they left.
func reasonState(value string) cellState {
	if a := answerOf(value); a == empty || a == no {
		return cellState{clear: true}
	}
	if state := stateOf(value); state.Gone() {
		return cellState{state: state, clear: true, mapped: true}
	}
	return cellState{state: Unsubscribed, clear: true}
}

// wordState reads a cell with a word for a state or a type of bounce.
func wordState(m Meaning, value string) cellState {
	if m == MeansBounceType {
		switch key := headingKey(value); {
		case strings.HasPrefix(key, "hard"), strings.HasPrefix(key, "permanent"):
			return cellState{state: Bounced, clear: true, mapped: true}
		case strings.HasPrefix(key, "soft"), strings.HasPrefix(key, "temporary"), strings.HasPrefix(key, "transient"):
			return cellState{clear: true}
		}
		return cellState{}
	}
	state := stateOf(value)
	if state == "" {
		return cellState{}
	}
	return cellState{state: state, clear: true, mapped: !strings.EqualFold(value, string(state))}
}

// readConsent reads a cell of the consent column: yes or no, or how the person agreed. It
// returns the text to record and adds a refusal to the state of the line.
func (l *List) readConsent(c *Column, value string, v *lineState) string {
	a, state := answerOf(value), stateOf(value)
	first, _, _ := strings.Cut(strings.ToLower(value), " ")
	switch {
	case a == no:
		v.add(Unsubscribed)
		return ""
	case a == empty:
		return ""
	case a == yes:
		return value
	case state.Gone() || state == Pending:
		v.add(state)
		l.noteMapped(c, value, state)
		return ""
	case refusalWords[strings.Trim(first, ",.;:")]:
		v.addUnclear(c, value)
	}
	return value
}

// refusalWords are first words of a text that may say that the person did not agree.
var refusalWords = setOf("no, not, non, never, nein, kein, keine, nicht, pas, jamais, refus")

// checkDeparture returns an error if a column that is not about the state holds a word for a
// departure. Otherwise the import could mail a person who unsubscribed.
func (c *Column) checkDeparture(value string) *LineError {
	if c.ByHand {
		return nil
	}
	if c.postal {
		if stateOf(value) == "" {
			return nil
		}
	} else if !isDeparture(value) {
		return nil
	}
	return &LineError{
		Reason:   "a word for a departure in another column",
		What:     fmt.Sprintf("column %s holds %s, and it is not read as a state", quoteShort(c.Heading), quoteShort(value)),
		Expected: "the column read as a state, or left out by its name",
	}
}

// isDeparture reports whether a cell is one of departureWords.
func isDeparture(value string) bool {
	return mayMatch(departurePrefixes, value) && departureWords[headingKey(value)]
}
