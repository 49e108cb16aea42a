package subscriber

import (
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// answer is a yes or no, as lists write them.
type answer int

const (
	unclear answer = iota
	empty
	yes
	no
)

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

// answerOf reads a cell that should be yes or no. A date is a yes: it says when. The date
// zero of databases is empty.
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

// looksLikeDate reports whether a value is a date in any usual form. Which day it means
// does not matter to a column that says that something happened.
func looksLikeDate(value string) bool {
	if !strings.ContainsAny(value, "0123456789") {
		return false
	}
	if epochPattern.MatchString(value) || datePattern.MatchString(value) {
		return true
	}
	return monthPattern.MatchString(value)
}

// dateLayouts are the forms of dates that mean one day for certain.
var dateLayouts = []string{
	time.RFC3339, time.DateTime, time.DateOnly, "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05 -0700 MST", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05-0700", "2006/01/02", "2006/01/02 15:04:05", "2006/01/02 15:04",
	"02.01.2006", "2.1.2006", "02.01.2006 15:04", "02.01.2006 15:04:05", "2.1.2006 15:04", "2 Jan 2006", "2 January 2006", "Jan 2, 2006", "January 2, 2006", "Jan 2 2006",
	"2 Jan 2006 15:04", "Jan 2, 2006 15:04", "Jan 2, 2006 3:04 PM", "January 2, 2006 15:04", "January 2, 2006 3:04 PM", time.RFC1123, time.RFC1123Z, time.ANSIC, time.UnixDate, "02-Jan-2006", "2-Jan-06",
}

// dateOf reads a date that means one day for certain; 02/03/2024 does not.
func dateOf(value string) (time.Time, bool) {
	for _, layout := range dateLayouts {
		if at, err := time.Parse(layout, value); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}

// stateWords are the words of other systems for the states of a subscriber, without
// spaces, accents and capitals.
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

// stateOf reads the word of a system for a state; empty when it is not known. What stands in
// brackets behind it is a remark.
func stateOf(value string) State {
	if !mayBeIn(stateStarts, value) {
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

// plainLeaving are words that say in any column that nobody wants mail there. They are
// looked for in columns that are not understood, so that none of them is overlooked.
var plainLeaving = setOf(`unsubscribed, unsub, opted out, opt out, optout, do not email, do not mail, do not contact, do not send, bounced, hard bounced, hard bounce, complained, spam complaint,
	marked as spam, cleaned, blacklisted, blocklisted, suppressed, no consent, consent withdrawn, desabonne, desinscrit, abgemeldet, ausgetragen`)

var (
	stateStarts   = startsOf(maps.Keys(stateWords))
	leavingStarts = startsOf(maps.Keys(plainLeaving))
)

// startsOf returns the first letters of words, by which most cells are told from them at
// little cost.
func startsOf(words iter.Seq[string]) map[string]bool {
	out := map[string]bool{}
	for word := range words {
		out[word[:2]] = true
	}
	return out
}

// mayBeIn reports whether a cell may be one of some words, by its first letters.
func mayBeIn(starts map[string]bool, cell string) bool {
	if len(cell) < 3 || len(cell) > 100 {
		return false
	}
	a, b := cell[0]|0x20, cell[1]|0x20
	return a >= 0x80 || b >= 0x80 || starts[string([]byte{a, b})]
}

// graver orders states by how much they count against mailing a person.
func graver(s State) int {
	return slices.Index([]State{"", Active, Paused, Pending, Unsubscribed, Bounced, Complained, Erased}, s)
}

// Worse reports whether s counts more against mailing a person than other.
func (s State) Worse(other State) bool { return graver(s) > graver(other) }

// Gone reports whether a person in this state must not be mailed again unless they ask for it.
func (s State) Gone() bool {
	return s == Unsubscribed || s == Bounced || s == Complained || s == Erased
}
