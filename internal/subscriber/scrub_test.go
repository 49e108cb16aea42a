package subscriber

import (
	"strings"
	"testing"
)

func TestAddressesAreScrubbedFromReplies(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]string{
		"5.1.1 <ann@example.org>: Recipient address rejected: User unknown": "5.1.1 <[address]>: Recipient address rejected: User unknown",
		"5.1.1 ann@example.org... User unknown":                             "5.1.1 [address] User unknown",
		"550 rfc822;Ann.Other+news@mail.example.org is over quota":          "550 rfc822;[address] is over quota",
		`550 "two words"@example.org unknown`:                               "550 [address] unknown",
		`550 "a\"b@c"@example.org unknown`:                                  "550 [address] unknown",
		"550 o'neil@example.org unknown":                                    "550 [address] unknown",
		"550 bounces+ann=example.org@relay.example refused":                 "550 [address] refused",
		"550 jürgen@bücher.example unbekannt":                               "550 [address] unbekannt",
		"550 ann@xn--bcher-kva.example unknown":                             "550 [address] unknown",
		"550 ann@[192.0.2.1] unknown":                                       "550 [address] unknown",
		"550 ann@[IPv6:2001:db8::1] unknown":                                "550 [address] unknown",
		"550 ann@localhost unknown":                                         "550 [address] unknown",
		"550 see https://help.example/?who=ann%40example.org&why=x":         "550 see https://help.example/?who=[address]&why=x",
		"550 see https://help.example/block/ann@example.org":                "550 see https://help.example/block/[address]",
		"550 ann&#64;example.org, ann(at)example.org, ANN[AT]EXAMPLE.ORG":   "550 [address], [address], [address]",
		"550 (ann@example.org,bob@example.org)":                             "550 ([address],[address])",
		"550 ann@example.org\nbob@example.org":                              "550 [address]\n[address]",
		"2.0.0 Ok: queued as 4XyZ40":                                        "2.0.0 Ok: queued as 4XyZ40",
		"4.7.1 greylisted, try again at 10:40":                              "4.7.1 greylisted, try again at 10:40",
		"":                                                                  "",
	} {
		if got := ScrubAddresses(reply); got != want {
			t.Errorf("%q becomes %q, want %q", reply, got, want)
		}
	}
}

func FuzzScrubAddresses(f *testing.F) {
	f.Add("550 <", "ann", "> unknown")
	f.Add("", `"two words"`, "")
	f.Fuzz(func(t *testing.T, before, local, after string) {
		address, err := ParseAddress(local + "@erased.example")
		if err != nil {
			return
		}
		if got := ScrubAddresses(before + address.ASCII() + after); strings.Contains(strings.ToLower(got), strings.ToLower(address.ASCII())) {
			t.Errorf("%q still holds the address", got)
		}
	})
}
