package subscriber

import (
	"strings"
	"unicode"
)

// ParseMailbox reads "Name <address>" or a bare address. Errors are *AddressError.
func ParseMailbox(s string) (name string, address Address, err error) {
	trimmed := strings.TrimSpace(s)
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
	return normalizeName(name), address, nil
}

// NormalizeName makes a person's name fit for a mail: one line of visible characters, at
// most 200 bytes.
func NormalizeName(s string) string { return normalizeName(s) }

// maxName bounds a name in bytes; longer ones are not names.
const maxName = 200

// normalizeName returns a name of a list or form on one line, without control characters.
func normalizeName(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] > ' ' && s[i] < 0x7F
	}
	if !plain {
		s = strings.Join(strings.Fields(strings.Map(visible, strings.ToValidUTF8(s, ""))), " ")
	}
	for len(s) > maxName {
		runes := []rune(s)
		s = string(runes[:len(runes)*maxName/len(s)])
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

// dotlessDomains are domains whose mailboxes do not tell dots in their names apart, with the name
// under which we count them.
var dotlessDomains = map[string]string{"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}

// Mailbox is the address of the mailbox that mail to a reaches, as far as can be known: in
// lower case, without what follows a plus sign, and without dots where they do not count.
// It is for counting, not for sending: some servers have a plus sign in real names.
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
