package bounce

import (
	"bufio"
	"bytes"
	"strings"

	"github.com/emersion/go-message/textproto"
)

// accepts says whether a listener takes mail for an address.
func (d *Processor) accepts(address string) bool {
	if d.mailboxes[foldAddress(address)] {
		return true
	}
	_, _, err := d.addresses.Parse(address)
	return err == nil
}

func foldAddress(address string) string { return strings.ToLower(strings.Trim(address, "<> ")) }

// recipients are the addresses that a mail's header says it went to.
func recipients(data []byte) []string {
	header, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(data)))
	if err != nil {
		return nil
	}
	var all []string
	for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To", "To"} {
		for f := header.FieldsByKey(name); f.Next(); {
			all = append(all, strings.FieldsFunc(f.Value(), func(r rune) bool { return strings.ContainsRune(" ,;<>\"\t\r\n", r) })...)
		}
	}
	return all[:min(len(all), 100)]
}
