package subscriber

import (
	"strings"
	"unicode"
)

// ParseMailbox reads "Name <address>", "address (Name)" as in RSS, or a bare address. Errors are
// *AddressError.
func ParseMailbox(s string) (name string, address Address, err error) {
	trimmed := strings.TrimSpace(s)
	if before, comment, found := strings.Cut(trimmed, " ("); found && strings.HasSuffix(comment, ")") {
		if address, err = ParseAddress(before); err == nil {
			return NormalizeName(strings.TrimSuffix(comment, ")")), address, nil
		}
	}
	open := strings.LastIndexByte(trimmed, '<')
	if open < 0 || !strings.HasSuffix(trimmed, ">") {
		address, err = ParseAddress(trimmed)
		return "", address, err
	}
	address, err = ParseAddress(trimmed[open+1 : len(trimmed)-1])
	if err != nil {
		return "", Address{}, err
	}
	name = strings.TrimSpace(trimmed[:open])
	if len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"' {
		name = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(name[1 : len(name)-1])
	}
	return NormalizeName(name), address, nil
}

// maxName is the maximum length of a name in bytes. Longer ones are cut.
const maxName = 200

// NormalizeName returns a person's name as mails can show it: one line of visible characters,
// at most 200 bytes.
func NormalizeName(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] > ' ' && s[i] < 0x7F
	}
	if !plain {
		s = strings.Join(strings.Fields(strings.Map(visible, strings.ToValidUTF8(s, ""))), " ")
	}
	for len(s) > maxName {
		runes := []rune(s)
		s = strings.TrimRight(string(runes[:len(runes)*maxName/len(s)]), " ")
	}
	return s
}

func visible(r rune) rune {
	if unicode.IsSpace(r) || unicode.IsControl(r) {
		return ' '
	}
	if graphic(r) {
		return r
	}
	return -1
}

// dotlessDomains are domains that ignore dots in local parts, each with the domain under which
// its mailboxes are counted.
var dotlessDomains = map[string]string{"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}

// Mailbox returns the address of the mailbox that mail to a probably reaches: in lower case,
// without a plus sign and the text after it, and without dots where the domain ignores them.
// Use it to count mailboxes and not to send, since some servers treat a plus sign as part of the
// name.
func (a Address) Mailbox() Address {
	if a.IsZero() {
		return a
	}
	local, domain := fold(a.local), a.domain
	if plus := strings.IndexByte(local, '+'); plus > 0 && local[0] != '"' {
		local = local[:plus]
	}
	if one, ok := dotlessDomains[domain]; ok {
		domain = one
		local = strings.ReplaceAll(local, ".", "")
	}
	return Address{local: local, domain: domain}
}
