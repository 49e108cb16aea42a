package mailer

import (
	"regexp"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// causes is the set of causes that the words of a refusal name. classifyRefusal has their
// order of precedence.
type causes uint16

const (
	causeSender      causes = 1 << iota // our address or domain was refused, or could not be verified
	causeRelaying                       // the server does not relay for us
	causeBlock                          // block lists, reputation, authentication, spam, rate limits
	causeFull                           // the mailbox is full
	causeSize                           // the mail is too large
	causeUnknownUser                    // there is no such mailbox
	causeUnavailable                    // "mailbox unavailable", the words of RFC 5321 for 550
	causeUnknownHost                    // the recipient's domain takes no mail or does not exist
	causeRouting                        // a DNS or routing problem on the way
	causeInactive                       // the mailbox is disabled, locked or suspended
	causePolicy                         // "blocked" or "policy" without details
	causeTemporary                      // the words call the refusal temporary
)

func (c causes) has(any causes) bool { return c&any != 0 }

// causesOf returns the causes of a refusal's text. It ignores addresses and URLs, because "spam" in
// a mailbox name means nothing; only a few well-known URLs count. One of our return paths in the
// text means that the server tried to verify the sender (a callout).
func causesOf(text string) causes {
	var w causes
	folded := foldText(text[:min(len(text), causeTextMax)])
	if strings.Contains(folded, "://") || strings.Contains(folded, "www.") {
		w |= readURLs(folded)
		folded = webAddress.ReplaceAllString(folded, " ")
	}
	if strings.Contains(folded, "@") {
		if verpAddress.MatchString(folded) {
			w |= causeSender
		}
		folded = mailAddress.ReplaceAllString(folded, " ")
	}
	folded = replyCodes.ReplaceAllString(folded, " ")
	flat := normalizeWords(folded)
	if rejectedWithoutReason.MatchString(flat) {
		w |= causeUnavailable
	}
	w |= causes(refusalMatcher().find(flat))
	if !isASCII(folded) {
		for _, g := range glyphs() {
			if g.expression.MatchString(folded) {
				w |= g.of
			}
		}
	}
	return w
}

// readURLs returns the causes of the well-known URLs in a text.
func readURLs(folded string) (w causes) {
	for _, url := range webAddress.FindAllString(folded, 5) {
		switch {
		case blockListURL.MatchString(url):
			w |= causeBlock
		case strings.Contains(url, "nosuchuser"):
			w |= causeUnknownUser
		}
	}
	return w
}

// causeTextMax is how many octets of a refusal causesOf reads.
const causeTextMax = 2000

// refusalMatcher returns the matcher of all phrases, which is built on the first call.
var refusalMatcher = sync.OnceValue(func() *phraseMatcher {
	matcher := newPhraseMatcher(recipientWords)
	for _, p := range phrases {
		matcher.add(p.words, uint16(p.of))
	}
	return matcher
})

type glyphPattern struct {
	of         causes
	expression *regexp.Regexp
}

// glyphs are the phrases of languages without spaces between words.
var glyphs = sync.OnceValue(func() (all []glyphPattern) {
	for _, p := range phrases {
		if p.glyphs != "" {
			all = append(all, glyphPattern{p.of, regexp.MustCompile(stripAccents(p.glyphs))})
		}
	}
	return all
})

var (
	webAddress   = regexp.MustCompile(`(?:https?://|www\.)[^\s<>"]+`)
	blockListURL = regexp.MustCompile(`spamhaus|spamcop|sorbs|uceprotect|abuseat|barracudacentral|senderscore|senderbase|blacklist|blocklist|blockedmessage|unsolicited|delist|spf|dmarc|p=unauth|ipcheck|ip_?block`)
	verpAddress  = regexp.MustCompile(`\bb-[a-z2-7]{18,62}@`)
	mailAddress  = regexp.MustCompile(`<?"?[^\s<>"'()\[\]:;,]+"?@[^\s<>"'()\[\]:;,]+>?`)
	// rejectedWithoutReason matches a refusal of the address that gives no reason.
	rejectedWithoutReason = regexp.MustCompile(`^ (?:recipient )?address rejected (?:in reply to rcpt to command )?$`)
	replyCodes            = regexp.MustCompile(`\b[245]\.\d{1,3}\.\d{1,3}\b|\b[45]\d\d[- ]`)
)

// foldText converts text to lower case without accents, so that a phrase needs one spelling only.
func foldText(text string) string { return stripAccents(strings.ToLower(text)) }

func stripAccents(text string) string {
	if isASCII(text) {
		return text
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'ß':
			b.WriteString("ss")
		case r == 'ł':
			b.WriteByte('l')
		case r == 'ø':
			b.WriteByte('o')
		case r == 'æ':
			b.WriteString("ae")
		case r == 'ı':
			b.WriteByte('i')
		default:
			b.WriteRune(r)
		}
	}
	return norm.NFC.String(b.String())
}

// normalizeWords keeps only letters and digits, with one space between words and at both ends.
func normalizeWords(text string) string {
	var b strings.Builder
	b.WriteByte(' ')
	space := true
	for _, r := range text {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
			space = false
		} else if !space {
			b.WriteByte(' ')
			space = true
		}
	}
	if !space {
		b.WriteByte(' ')
	}
	return joinWords(strings.Fields(b.String()))
}

// joinWords joins compounds that are written as one word or as two. It also joins "not listed":
// a user who is "not listed in" a directory is not a host that is "listed in" a block list.
func joinWords(words []string) string {
	var b strings.Builder
	b.WriteByte(' ')
	for i := 0; i < len(words); i++ {
		word := words[i]
		if i+1 < len(words) {
			if one := compounds[word+" "+words[i+1]]; one != "" {
				word = one
				i++
			}
		}
		b.WriteString(word)
		b.WriteByte(' ')
	}
	return b.String()
}

var compounds = map[string]string{
	"not listed": "notlisted", "mail box": "mailbox", "mail boxes": "mailboxes", "e mail": "email", "e mails": "emails", "user name": "username", "local part": "localpart",
	"mail folder": "mailfolder", "black list": "blacklist", "black listed": "blacklisted", "block list": "blocklist", "block listed": "blocklisted", "black lists": "blacklists",
}
