package subscriber

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/tidings-press/tidings/internal/words"
)

// Meaning is what a column of a list holds.
type Meaning string

// The meanings of columns. The --column flag and the summary of an import use these names.
const (
	MeansAddress      Meaning = "email"
	MeansName         Meaning = "name"
	MeansGivenName    Meaning = "first name"
	MeansFamilyName   Meaning = "last name"
	MeansLanguage     Meaning = "language" // of the articles to send, and of mails unless another column names it
	MeansMailLanguage Meaning = "mail language"
	MeansTimezone     Meaning = "timezone"
	MeansTopics       Meaning = "topics"
	MeansDigests      Meaning = "digests"
	MeansLabels       Meaning = "labels"
	MeansConsent      Meaning = "consent"      // how the person agreed; "no" means that they did not
	MeansConsentedAt  Meaning = "consented at" // a date
	MeansState        Meaning = "state"        // a word such as active, unsubscribed, cleaned
	MeansStays        Meaning = "stays"        // no means that the person left
	MeansLeft         Meaning = "left"         // yes or a date means that the person left
	MeansLeftBecause  Meaning = "left because" // any text means that the person left
	MeansBounced      Meaning = "bounced"      // yes or a date means that the address is dead
	MeansBounceType   Meaning = "bounce type"  // hard or soft
	MeansComplained   Meaning = "complained"   // yes or a date means a spam complaint
	MeansConfirmed    Meaning = "confirmed"    // no means that the person never confirmed
	MeansNothing      Meaning = "ignored"
)

// Meanings lists the meanings that can be chosen for a column with --column.
var Meanings = []Meaning{
	MeansAddress, MeansName, MeansGivenName, MeansFamilyName, MeansLanguage, MeansMailLanguage, MeansTimezone, MeansTopics, MeansDigests, MeansLabels,
	MeansConsent, MeansConsentedAt, MeansState, MeansStays, MeansLeft, MeansLeftBecause, MeansBounced, MeansBounceType,
	MeansComplained, MeansConfirmed, MeansNothing,
}

// AboutConsent reports whether a column of this meaning decides if the person may be mailed.
func (m Meaning) AboutConsent() bool { return m.aboutState() || m == MeansConsent }

// aboutState reports whether a column of this meaning decides if the person may be mailed.
func (m Meaning) aboutState() bool {
	switch m {
	case MeansState, MeansStays, MeansLeft, MeansLeftBecause, MeansBounced, MeansBounceType, MeansComplained, MeansConfirmed:
		return true
	}
	return false
}

// MayRepeat reports whether several columns may have this meaning: all columns about the state
// count, and labels are collected.
func (m Meaning) MayRepeat() bool { return m.aboutState() || m == MeansLabels || m == MeansNothing }

// Column is one column of a list and how it is read.
type Column struct {
	Heading string  `json:"heading"`
	Meaning Meaning `json:"used_as"`
	ByHand  bool    `json:"mapped,omitempty"` // chosen by the caller, not detected from the heading
	Why     string  `json:"why,omitempty"`    // why a column with a known heading is ignored

	index  int
	postal bool // a column State among columns of a postal address
	weak   bool // a heading such as "address": the mail address if no other column holds it
}

// ColumnsError reports headings that may be about consent or unsubscribing but are not known.
// No row of the list is read.
type ColumnsError struct{ Headings []string }

func (e *ColumnsError) Error() string {
	quoted := make([]string, 0, len(e.Headings))
	for _, heading := range e.Headings[:min(len(e.Headings), 20)] {
		quoted = append(quoted, quoteShort(heading))
	}
	return "line 1: the heading " + strings.Join(quoted, ", ") + " may tell who left or who agreed, and its meaning is not known"
}

// readHeadings detects the meaning of each column. It returns a *ColumnsError for unknown
// headings that may be about consent, and another error for options that do not fit the header.
func readHeadings(header []string, opts ListOptions) ([]Column, error) {
	byHand, err := opts.chosenMeanings(header)
	if err != nil {
		return nil, err
	}
	columns, unknown := recogniseColumns(header, byHand)
	if len(unknown) > 0 {
		return nil, &ColumnsError{Headings: unknown}
	}
	return columns, nil
}

// recogniseColumns returns the columns of a header, and the headings of those that may be about consent
// and are not known. Their meaning is empty.
func recogniseColumns(header []string, byHand map[int]Meaning) (columns []Column, unknown []string) {
	postal := isPostal(header)
	columns = make([]Column, len(header))
	for i, heading := range header {
		c := Column{Heading: trimCell(heading), index: i}
		if m, ok := byHand[i]; ok {
			c.Meaning, c.ByHand = m, true
		} else if weakAddresses[headingKey(heading)] {
			c.Meaning, c.weak = MeansNothing, true
		} else if c.Meaning, c.Why = meaningOf(c.Heading); c.Meaning == "" {
			unknown = append(unknown, c.Heading)
		}
		if postal && c.Meaning == MeansState && !c.ByHand && headingKey(c.Heading) == "state" {
			c.Meaning, c.Why, c.postal = MeansNothing, "part of a postal address", true
		}
		columns[i] = c
	}
	adjustForSystem(columns)
	return ignoreRepeated(columns), unknown
}

// ignoreRepeated keeps one column of each meaning that may not repeat, and ignores the others.
// It keeps the first column that the caller chose, or else the first one.
func ignoreRepeated(columns []Column) []Column {
	for _, m := range Meanings {
		if m.MayRepeat() {
			continue
		}
		first := slices.IndexFunc(columns, func(c Column) bool { return c.Meaning == m && c.ByHand })
		if first < 0 {
			first = slices.IndexFunc(columns, func(c Column) bool { return c.Meaning == m })
		}
		for i := range columns {
			if columns[i].Meaning == m && i != first {
				columns[i].Meaning, columns[i].Why = MeansNothing, "another column is read as "+string(m)
			}
		}
	}
	return columns
}

// chosenMeanings returns the meanings that the caller chose, by the index of the column.
func (o ListOptions) chosenMeanings(header []string) (map[int]Meaning, error) {
	out := map[int]Meaning{}
	choose := func(name string, m Meaning) error {
		found := false
		for i, heading := range header {
			if strings.EqualFold(trimCell(heading), trimCell(name)) {
				out[i], found = m, true
			}
		}
		if !found {
			return words.Errorf("the list has no column {0}; its columns: {1}", quoteShort(name), listHeadings(header))
		}
		return nil
	}
	for _, name := range o.Ignore {
		if err := choose(name, MeansNothing); err != nil {
			return nil, err
		}
	}
	for name, m := range o.Columns {
		if !slices.Contains(Meanings, m) {
			return nil, fmt.Errorf("column %s cannot be read as %s; known are: %s", quoteShort(name), quoteShort(string(m)), joinMeanings())
		}
		if err := choose(name, m); err != nil {
			return nil, err
		}
	}
	for i, m := range o.Positions {
		if i < len(header) {
			out[i] = m
		}
	}
	return out, nil
}

func joinMeanings() string {
	names := make([]string, len(Meanings))
	for i, m := range Meanings {
		names[i] = string(m)
	}
	return strings.Join(names, ", ")
}

func listHeadings(header []string) string {
	names := make([]string, 0, len(header))
	for _, heading := range header[:min(len(header), 50)] {
		names = append(names, quoteShort(trimCell(heading)))
	}
	return strings.Join(names, ", ")
}

var errNoAddressColumn = words.Errorf("line 1: no column for the address; name it email, or say which one it is")

// isPostal reports whether a list has the columns of a postal address.
func isPostal(header []string) bool {
	return slices.ContainsFunc(header, func(heading string) bool { return postalHeadings[headingKey(heading)] })
}

// headingWords splits a heading into lower-case words without accents. emailBlacklisted,
// EMAIL_BLACKLISTED and "E-mail blacklisted" give the same words.
func headingWords(heading string) []string {
	var out strings.Builder
	last := ' '
	for _, r := range norm.NFKD.String(trimCell(heading)) {
		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = ' '
		case unicode.IsUpper(r) && unicode.IsLower(last):
			out.WriteByte(' ')
		}
		out.WriteRune(unicode.ToLower(r))
		last = r
	}
	words := strings.Fields(strings.ReplaceAll(out.String(), "ß", "ss"))
	for i := 0; i+1 < len(words); i++ {
		if words[i] == "e" && (words[i+1] == "mail" || words[i+1] == "mails") {
			words = slices.Replace(words, i, i+2, "e"+words[i+1])
		}
	}
	return words
}

// headingKey returns a heading in the form in which headings are compared: its words, joined.
func headingKey(heading string) string { return strings.Join(headingWords(heading), "") }

// meaningOf returns the meaning of a heading, and the reason if it is ignored although it is
// known. The meaning is empty if the heading is unknown but may be about consent.
func meaningOf(heading string) (m Meaning, why string) {
	words := headingWords(heading)
	key := strings.Join(words, "")
	if m, ok := headings[key]; ok {
		return m, ignoredBecause[key]
	}
	if slices.ContainsFunc(words, func(w string) bool { return otherChannels[w] }) {
		return MeansNothing, "about another channel than mail"
	}
	if len(words) > 1 && words[len(words)-1] == "state" && slices.ContainsFunc(words, func(w string) bool { return addressKinds[w] }) {
		return MeansNothing, "part of a postal address"
	}
	// "Contact status" and "is subscribed" are columns of state like "status" and "subscribed".
	plain := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return fillWords[w] })
	if m := headings[strings.Join(plain, "")]; len(plain) < len(words) && (m.aboutState() || m == MeansConsentedAt) {
		return m, ""
	}
	if slices.ContainsFunc(words, mayConcernConsent) || strings.Contains(key, "donot") || strings.Contains(key, "dont") {
		return "", ""
	}
	return MeansNothing, ""
}

// mayConcernConsent reports whether a word of a heading may be about consent or unsubscribing.
func mayConcernConsent(word string) bool {
	if harmlessWords[word] {
		return false
	}
	return consentWords[word] || slices.ContainsFunc(consentStems, func(stem string) bool { return strings.Contains(word, stem) })
}

// adjustForSystem corrects columns that have another meaning in the export of one system.
func adjustForSystem(columns []Column) {
	has := func(key string) bool {
		return slices.ContainsFunc(columns, func(c Column) bool { return headingKey(c.Heading) == key })
	}
	for i := range columns {
		c := &columns[i]
		// phpList: optedin only records how a person confirmed, and confirmed is what counts.
		if headingKey(c.Heading) == "optedin" && has("confirmed") && has("blacklisted") && !c.ByHand {
			c.Meaning, c.Why = MeansNothing, "phpList keeps consent in the column confirmed"
		}
	}
}

// headings maps the keys of known headings to their meaning. headingLists holds the headings
// of spreadsheets and of other systems' exports, in English, French and German, separated by
// commas. Case, spaces, hyphens and accents do not matter.
var headings = tableOf(headingLists)

var headingLists = map[Meaning]string{
	MeansAddress: `email, email address, email addresses, mail, mail address, subscriber email, user email, contact email, primary email,
		your email, work email, email 1, email 1 value, email id, courriel, adresse email, adresse mail, adresse de messagerie,
		adresse electronique, adresse courriel, email adresse, mailadresse, mail adresse, correo, correo electronico, indirizzo email`,
	MeansName:         `name, full name, display name, your name, subscriber name, contact name, nom, nom complet, nom et prenom, prenom nom, vollstandiger name, nombre`,
	MeansGivenName:    `first name, fname, first, given name, given names, forename, prenom, vorname, preferred name`,
	MeansFamilyName:   `last name, lname, last, family name, surname, second name, nom de famille, nachname, familienname, zuname`,
	MeansLanguage:     `language, lang, locale, preferred language, langue, langue preferee, sprache`,
	MeansMailLanguage: `mail language, email language, newsletter language, signup language, interface language, langue des mails, langue du courriel, mailsprache`,
	MeansTimezone:     `timezone, time zone, tz, fuseau, fuseau horaire, zeitzone`,
	MeansTopics:       `topics, topic, interests, sujets, themes, themen, interessen, centres d interet`,
	MeansDigests:      `digests, digest, lists, list, mailing list, mailing lists, listes, listen, list ids, list names`,
	MeansLabels:       `labels, label, tags, tag, groups, group, segments, segment, etiquettes, categories, kategorien, gruppen, groupes, group membership, audience tags`,
	MeansConsent:      `consent, consent text, consentement, einwilligung, zustimmung`,
	MeansConsentedAt: `consented at, consent date, consent time, consent timestamp, opt in time, opt in date, opted in at, opt in timestamp, optin on,
		confirm time, confirmed at time, confirmation date, confirmation time, confirmation timestamp, confirmed on, confirmed date,
		date confirmed, double opt in date, double opt in time, subscribed at, subscribed on, subscribe date, subscribed date,
		date subscribed, subscription date, subscription time, subscribe time, subscription start, subscription started,
		subscription start date, subscription created at, signed up, signed up at, signup date, sign up date,
		date d inscription, inscrit le, date d abonnement, abonne le, anmeldedatum, angemeldet am, datum der einwilligung`,
	MeansState: `state, status, subscriber state, subscriber type, subscription status, subscription state, list status, member status,
		email status, email subscriber status, email marketing status, marketing status,
		mailing status, newsletter status, delivery status, statut, etat, statut de l abonne, statut d abonnement, zustand, abonnement, abo status, abostatus`,
	MeansStays: `subscribed, is subscribed, subscribed to emails, subscribed to newsletter, email subscribed, active, is active, active subscriber,
		enabled, is enabled, email enabled, emails enabled, opt in, opted in, has opted in, email opt in, marketing opt in, newsletter opt in,
		opt in email, opted in email, email opted in, accepts marketing, accepts email marketing, accepts email, email consent, marketing consent, consent given,
		has consent, has consented, consented, gdpr consent, gdpr permission, gdpr, gdpr status, consent status, opt in status, email marketing consent, marketing permission, marketing permissions, email permission, permission, mailable, deliverable, send emails,
		receive emails, receives emails, wants emails, wants newsletter, newsletter, newsletter subscriber, newsletter subscribed,
		actif, inscrit, abonne, aktiv, abonniert, angemeldet, einwilligung erteilt, newsletter erwunscht`,
	MeansLeft: `unsubscribed, unsubscribe, is unsubscribed, unsub, unsubbed, unsubscribed from emails, unsubscribed from all email, unsubscribed from all emails,
		globally unsubscribed, email unsubscribed, has unsubscribed, unsubscribed from newsletter, opt out, opted out, is opted out, has opted out, has opted out of email,
		email opt out, email opted out, optout email, marketing opt out, global opt out, opted out of email, do not email, do not mail, do not contact, do not send, do not disturb,
		dont email, dont mail, dont contact, no email, no mail, no emails, email disabled, emails disabled, disabled, is disabled, mail disabled,
		blocked, is blocked, email blocked, blacklisted, is blacklisted, email blacklisted, blacklist, blocklisted, email blocklisted, blocklist,
		suppressed, is suppressed, email suppressed, suppress, deleted, is deleted, removed, is removed, cancelled, canceled, inactive, is inactive, left, banned, is banned, archived, is archived,
		unsub time, unsubscribed at, unsubscribed on, unsubscribed date, unsubscribe date, unsubscribe time, unsubscribed time, unsubscribe timestamp,
		unsubscription date, unsubscription time, date unsubscribed, unsub date, opt out time, opt out date, opted out at, opted out on, optout at,
		deleted at, deleted on, date deleted, deletion date, removed at, removed on, date removed, left at, left on, date left, disabled at, blocked at, blacklisted at,
		blocklisted at, suppressed at, suppression date, archived at, stop time,
		desabonne, desinscrit, desabonne le, desinscrit le, date de desinscription, date de desabonnement, desactive, supprime, supprime le, bloque, exclu,
		abgemeldet, abgemeldet am, abmeldedatum, abmeldung, ausgetragen, ausgetragen am, gesperrt, gesperrt am, geloscht, geloscht am, deaktiviert, inaktiv, inactif`,
	MeansLeftBecause: `unsub reason, unsub campaign title, unsub campaign id, unsubscribe reason, unsubscribed reason, unsubscription reason, unsubscribe campaign,
		unsubscribe method, unsubscribe source, unsub source, opt out reason, opt out source, suppression reason, suppressed reason, reason for leaving, leave reason,
		block reason, blacklist reason, blocklist reason, deletion reason, raison de desinscription, abmeldegrund`,
	MeansBounced: `bounced, is bounced, bounce, has bounced, hard bounced, hard bounce, email bounced, bounced at, bounced on, bounce date, bounce time,
		date bounced, hard bounced at, hard bounce date, hard bounced on, clean time, cleaned, cleaned at, cleaned on, clean date, date cleaned, undeliverable, undelivered, invalid, is invalid, invalid email,
		invalid email address, clean campaign title, clean campaign id, clean reason, cleaned reason, bounce reason, bounce message, bounce code, hard bounce reason, email hard bounce reason,
		unzustellbar, rejete, invalide`,
	MeansBounceType: `bounce type, bounce class, bounce category, type of bounce`,
	MeansComplained: `complained, complaint, complaints, complained at, complaint date, complaint time, spam complaint, spam complained, spam, is spam, marked as spam, marked spam, marked spam at,
		reported spam, reported as spam, spam report, spam reported at, spam at, abuse, abuse report, abuse complaint, abuse reported at, spam complaint date, plainte, beschwerde`,
	MeansConfirmed: `confirmed, is confirmed, email confirmed, verified, is verified, email verified, double opt in, doi, double opted in, confirmed at, verified at,
		email verified at, email confirmed at, activated, is activated, activated at, confirme, confirme le, bestatigt, bestatigt am, verifiziert`,
	MeansNothing: `subscriber id, subscription id, subscriber key, subscriber number, subscriber since, subscriber uuid, subscriber hash, subscribe page, subscription page, subscriber source,
		subscription source, subscription source free, subscription source paid, subscription url, subscribe url, subscribe ip, subscription ip, subscribe form, subscription form, subscribed via, subscribed from, subscription method, subscriber rating, subscriber preferences,
		active subscription, active subscriptions, subscription type, subscription plan, subscription tier, subscription interval, subscription price, subscription period, subscription currency,
		opt in ip, opt in country, opt in url, opt in source, opt in form, opt in method, opted in ip, confirm ip, confirmation ip, confirmed ip, unsub ip, unsubscribe ip,
		last activity, last active, last active at, last activity at, activity, last activity date, activity score, last confirmed device,
		bounces, bounce count, soft bounce, soft bounces, soft bounced, soft bounce count, soft bounce date, bounce soft, number of bounces, hard bounces, hard bounce count, consecutive bounces,
		complaint count, foreign key, unsubscribe link, unsubscribe url, preferences url, newsletter source, stripe status, opt in message id, marketing source`,
}

// ignoredBecause holds the reason why a column is ignored although it seems to be about the
// state, by the key of its heading.
var ignoredBecause = map[string]string{
	"activesubscription": "about payment", "activesubscriptions": "about payment", "subscriptiontype": "about payment",
	"subscriptionplan": "about payment", "subscriptiontier": "about payment", "stripestatus": "about payment",
	"softbounce": "a soft bounce is no reason to leave", "softbounces": "a count", "softbounced": "a soft bounce is no reason to leave", "bouncesoft": "a count",
	"bounces": "a count", "bouncecount": "a count", "numberofbounces": "a count", "hardbounces": "a count", "hardbouncecount": "a count", "complaintcount": "a count",
}

// weakAddresses are headings that mean the mail address only if no other column holds it.
var weakAddresses = setOf("address, adresse, anschrift, addresses, subscriber, subscribers, user, username, member, contact, login, recipient, to")

// postalHeadings are headings by which a list with postal addresses is recognised. In such a
// list the column "state" is part of the address.
var postalHeadings = setOf(`city, town, zip, zip code, zipcode, postal code, postcode, street, street address, address line 1, home street, home city,
	business city, ville, code postal, rue, stadt, ort, plz, strasse, postleitzahl, province`)

// addressKinds stand before the parts of a postal address.
var addressKinds = setOf("home, business, other, billing, shipping, work, office, default, company, postal, delivery")

// otherChannels are words of headings about consent to something other than mail.
var otherChannels = setOf("sms, mms, whatsapp, phone, telephone, mobile, fax, push, telegram, voice, telefon, portable")

// fillWords add nothing to the meaning of a heading that speaks of state.
var fillWords = setOf("is, has, was, the, contact, subscriber, member, user, email, mail, list, person, customer, recipient, reader, current, account, date, time, global, globally, newsletter, emails")

// harmlessWords look like one of consentStems and are none.
var harmlessWords = setOf(`option, options, optional, adoption, optician, statement, station, estate, statistics, stats, states, blacksmith, activities, interactive,
	description, cleaner, signature, attribute, attributes, prescription, transcription, topic, topics, copy, shop, adopted, leftover`)

// consentWords are words that may make a heading one about consent.
var consentWords = setOf(`opt, optin, optout, opted, opts, left, leave, leaves, leaving, quit, stop, stopped, stops, hold, ban, black, mute, muted, agree, agreed, agrees, accept, accepted, accepts, allow, allowed,
	nomail, noemail, mailable, reject, rejected, abo, state, status, statut, etat, zustand, junk, drop, dropped, churn, churned, resigned, exited, gone, dead, valid, invalid, wants, exclude, excluded, exclusion,
	donot, dnc, dne, gdpr, dsgvo, rgpd, ccpa, casl, pecr, lawful, legal, snoozed, snooze`)

// consentStems are parts of such words.
var consentStems = strings.Fields(`unsub subscri optin optout consent bounc clean block blacklist suppress disab enabl delet remov complain complaint spam abuse
	activ inactiv confirm verif permission marketing einwillig zustimm abonn inscri desinscri abgemeld abmeld angemeld gesperr sperr aktiv
	newsletter cancel deliverab undeliv paus archiv erase erasure forgot forget banned revok withdraw declin refus resubscri unzustell geloscht supprim bloqu widerruf kundig resili resign`)

func tableOf(lists map[Meaning]string) map[string]Meaning {
	out := map[string]Meaning{}
	for m, list := range lists {
		for key := range setOf(list) {
			out[key] = m
		}
	}
	return out
}

// setOf returns the keys of headings that are separated by commas; see headingKey.
func setOf(list string) map[string]bool {
	out := map[string]bool{}
	for name := range strings.SplitSeq(list, ",") {
		out[headingKey(name)] = true
	}
	return out
}
