package subscriber

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestAddressesAreParsedAndFormatted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, shown, ascii, key string }{
		{"ada@example.org", "ada@example.org", "ada@example.org", "ada@example.org"},
		{" Ada.Lovelace+news@Example.ORG\t", "Ada.Lovelace+news@example.org", "Ada.Lovelace+news@example.org", "ada.lovelace+news@example.org"},
		{"info@bücher.example", "info@bücher.example", "info@xn--bcher-kva.example", "info@xn--bcher-kva.example"},
		{"info@BÜCHER.example", "info@bücher.example", "info@xn--bcher-kva.example", "info@xn--bcher-kva.example"},
		{"info@xn--bcher-kva.example", "info@bücher.example", "info@xn--bcher-kva.example", "info@xn--bcher-kva.example"},
		{"straße@faß.de", "straße@faß.de", "straße@xn--fa-hia.de", "strasse@xn--fa-hia.de"},
		{"用户@例子.广告", "用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v", "用户@xn--fsqu00a.xn--4rr70v"},
		{"e\u0301te@example.org", "éte@example.org", "éte@example.org", "éte@example.org"},
		{"ÉTE@example.org", "ÉTE@example.org", "ÉTE@example.org", "éte@example.org"},
		{`"ada"@example.org`, "ada@example.org", "ada@example.org", "ada@example.org"},
		{`"two words"@example.org`, `"two words"@example.org`, `"two words"@example.org`, `"two words"@example.org`},
		{`"a\"b\\c"@example.org`, `"a\"b\\c"@example.org`, `"a\"b\\c"@example.org`, `"a\"b\\c"@example.org`},
		{`"\a@b"@example.org`, `"a@b"@example.org`, `"a@b"@example.org`, `"a@b"@example.org`},
		{"!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"},
		{"a@r3---sn.example.org", "a@r3---sn.example.org", "a@r3---sn.example.org", "a@r3---sn.example.org"},
		{"a@1a.example", "a@1a.example", "a@1a.example", "a@1a.example"},
	} {
		a, err := ParseAddress(test.in)
		if err != nil {
			t.Error(err)
			continue
		}
		if a.String() != test.shown || a.ASCII() != test.ascii || a.Key() != test.key {
			t.Errorf("%q gives %q, %q, %q; want %q, %q, %q", test.in, a.String(), a.ASCII(), a.Key(), test.shown, test.ascii, test.key)
		}
		if again, err := ParseAddress(a.String()); err != nil || again != a {
			t.Errorf("%q shown and read again is %v, %v", test.in, again, err)
		}
	}
}

func TestInvalidAddressesGiveReason(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                      "it is empty",
		"   ":                                   "it is empty",
		"ada":                                   "no @",
		"@example.org":                          "there is nothing before",
		"ada@":                                  "there is nothing after",
		"ada@localhost":                         "no dot",
		"ada@example..org":                      "a dot is first",
		"ada@example.org.":                      "a dot is first",
		"ada@-example.org":                      "hyphen",
		"ada@ex_ample.org":                      `'_' in the domain`,
		"ada@[192.0.2.1]":                       "address literal",
		"ada@192.0.2.1":                         "ends in a number",
		"ada@xn--zz.example":                    "not a valid international domain",
		"ada@exa\u200Bmple.org\u0000":           "international domain",
		"ada@example.org\r\nBcc: x@y.org":       "two @",
		"ada\r\nRCPT TO:<x@y.org>@z.org":        "line break",
		"a\x00da@example.org":                   "invisible character U+0000",
		"a\u202Eda@example.org":                 "invisible character U+202E",
		"a da@example.org":                      "a space",
		"ada@b@example.org":                     "two @",
		"<ada@example.org>":                     "angle brackets",
		".ada@example.org":                      "a dot is first",
		"a..da@example.org":                     "a dot is first",
		`"ada@example.org`:                      "not closed",
		`""@example.org`:                        "empty",
		`"a"b"@example.org`:                     "inside the quotes",
		`"a\` + "\n" + `"@example.org`:          "backslash",
		"\xff@example.org":                      "not UTF-8",
		strings.Repeat("a", 65) + "@b.org":      "65 octets",
		"a@" + strings.Repeat("b", 64) + ".org": "63 octets",
		"a@" + strings.Repeat("b23456789.", 26) + "org":                          "octets",
		strings.Repeat("a", 64) + "@" + strings.Repeat("b23456789.", 20) + "org": "too long",
		strings.Repeat("@", 5000):                                                "too long",
	} {
		_, err := ParseAddress(in)
		var wrong *AddressError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) || wrong.Expected == "" {
			t.Errorf("ParseAddress(%.60q) says %v, want something with %q", in, err, want)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("the error of %q breaks the line", in)
		}
	}
}

func TestAddressSurvivesJSON(t *testing.T) {
	t.Parallel()
	in := []Address{MustParseAddress("info@bücher.example"), {}}
	data, err := json.Marshal(in)
	if err != nil || string(data) != `["info@bücher.example",""]` {
		t.Fatalf("%s %v", data, err)
	}
	var out []Address
	if err := json.Unmarshal(data, &out); err != nil || out[0] != in[0] || !out[1].IsZero() {
		t.Errorf("%v %v", out, err)
	}
	if json.Unmarshal([]byte(`"nobody"`), &out[0]) == nil {
		t.Error("a bad address was read")
	}
}

func TestMailboxNamesAreParsed(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Ada Lovelace <ada@example.org>":        "Ada Lovelace|ada@example.org",
		`"Lovelace, \"Ada\"" <ada@example.org>`: `Lovelace, "Ada"|ada@example.org`,
		"ada@example.org":                       "|ada@example.org",
		"ada@example.org (Ada Lovelace)":        "Ada Lovelace|ada@example.org",
		"Ada (Countess) <ada@example.org>":      "Ada (Countess)|ada@example.org",
		"<ada@example.org>":                     "|ada@example.org",
		"A\u202Eda\r\n<ada@example.org>":        "Ada|ada@example.org",
	} {
		name, address, err := ParseMailbox(in)
		if got := name + "|" + address.String(); err != nil || got != want {
			t.Errorf("%q gives %q %v, want %q", in, got, err, want)
		}
	}
	if _, _, err := ParseMailbox("Ada <ada>"); err == nil {
		t.Error("a mailbox without an address was read")
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"ada@example.org", `"a b"@bücher.example`, "用户@例子.广告", "a@b@c.d", "ß@xn--fa-hia.de", "\u0130@x.org"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		a, err := ParseAddress(in)
		if err != nil {
			return
		}
		if len(a.ASCII()) > MaxAddress || strings.ContainsAny(a.ASCII(), "\r\n\x00") || strings.ContainsAny(a.String(), "\r\n\x00") {
			t.Fatalf("%q gives the dangerous %q", in, a.ASCII())
		}
		again, err := ParseAddress(a.String())
		if err != nil || again != a {
			t.Fatalf("%q shows as %q, which reads as %q, %v", in, a.String(), again.ASCII(), err)
		}
		if wire, err := ParseAddress(a.ASCII()); err != nil || wire != a {
			t.Fatalf("%q is %q on the wire, which reads as %q, %v", in, a.ASCII(), wire.ASCII(), err)
		}
		key, err := ParseAddress(a.Key())
		if err != nil || key.Key() != a.Key() {
			t.Fatalf("%q has the key %q, whose key is %q, %v", in, a.Key(), key.Key(), err)
		}
	})
}
