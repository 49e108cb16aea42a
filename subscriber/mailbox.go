package subscriber

import (
	"strings"
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
	return tidyName(name), address, nil
}

// TidyName makes a person's name fit for a mail: one line of visible characters, at
// most 200 bytes.
func TidyName(s string) string { return tidyName(s) }
