package doctor

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestPoliciesOfMTASTSAreReadStrictly(t *testing.T) {
	t.Parallel()
	const whole = "version: STSv1\nmode: enforce\nmx: mail.a.example\nmx: *.B.example\nmax_age: 86400\n"
	for name, c := range map[string]struct{ text, want string }{
		"as in the RFC":         {whole, "enforce [mail.a.example *.b.example]"},
		"CRLF":                  {strings.ReplaceAll(whole, "\n", "\r\n"), "enforce [mail.a.example *.b.example]"},
		"no line end":           {strings.TrimSuffix(whole, "\n"), "enforce [mail.a.example *.b.example]"},
		"unknown keys":          {whole + "future: x\n\n# note", "enforce [mail.a.example *.b.example]"},
		"a key twice":           {whole + "mode: none\nversion: STSv2\n", "enforce [mail.a.example *.b.example]"},
		"none without servers":  {"version: STSv1\nmode: none\nmax_age: 0", "none []"},
		"the longest time":      {"version: STSv1\nmode: testing\nmx: a.example\nmax_age: 31557600", "testing [a.example]"},
		"a longer time":         {"version: STSv1\nmode: testing\nmx: a.example\nmax_age: 31557601", "its max_age is not a number of seconds up to 31557600"},
		"no time":               {"version: STSv1\nmode: testing\nmx: a.example", "its max_age is not a number of seconds up to 31557600"},
		"a negative time":       {"version: STSv1\nmode: testing\nmx: a.example\nmax_age: -1", "its max_age is not a number"},
		"no servers":            {"version: STSv1\nmode: enforce\nmax_age: 1", "it names no mail server (mx)"},
		"another mode":          {"version: STSv1\nmode: Enforce\nmx: a.example\nmax_age: 1", "its mode is not enforce, testing or none"},
		"another version":       {"version: STSv2\nmode: enforce\nmx: a.example\nmax_age: 1", `it has no line "version: STSv1"`},
		"a page":                {"<!doctype html><title>mail</title>", `it has no line "version: STSv1"`},
		"nothing":               {"", `it has no line "version: STSv1"`},
		"words without a colon": {"version STSv1\nmode enforce", `it has no line "version: STSv1"`},
	} {
		p, err := parseSTSPolicy(c.text)
		got := fmt.Sprint(p.mode, " ", p.mx)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestStarOfAPolicyStandsForOneLabel (RFC 8461, section 4.1).
func TestStarOfAPolicyStandsForOneLabel(t *testing.T) {
	t.Parallel()
	p := stsPolicy{mx: []string{"mail.a.example", "*.b.example"}}
	for server, want := range map[string]bool{
		"mail.a.example": true, "MAIL.A.example.": true, "x.mail.a.example": false, "a.example": false,
		"mx1.b.example": true, "b.example": false, "x.mx1.b.example": false, ".b.example": true, "": false, ".": false, "example": false,
	} {
		if got := p.covers(server); got != want {
			t.Errorf("%q is covered: %v", server, got)
		}
	}
}

func TestRecordsOfDMARCBeginWithTheirVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"v=DMARC1": true, "v=DMARC1; p=none": true, " v = DMARC1 ;p=none": true, "v=DMARC1 p=none": false, "v=dmarc1; p=none": false, "V=DMARC1; p=none": false,
		"p=none; v=DMARC1": false, "v=DMARC10": false, "": false, ";v=DMARC1": false, "v=spf1 -all": false,
	} {
		if got := isDMARC(text); got != want {
			t.Errorf("%q is a record: %v", text, got)
		}
	}
}

func TestTagsAreReadOnce(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"v=DMARC1; p=Reject;P=none ; sp = None": "map[p:reject sp:none v:dmarc1]",
		"rua=mailto:Ada@Example.org,mailto:b@x": "map[rua:mailto:Ada@Example.org,mailto:b@x]", // addresses keep their case
		"a=b=c; ;=x;d":                          "map[:x a:b=c]",
		"":                                      "map[]",
	} {
		if got := fmt.Sprint(parseTags(text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestOrganizationsFollowTheTreeWalk has the walks of RFC 9989, section 4.10.2, without a look-up: records from
// the domain itself upwards.
func TestOrganizationsFollowTheTreeWalk(t *testing.T) {
	t.Parallel()
	walked := func(start string, records ...string) walk {
		w := walk{start: start}
		for _, r := range records {
			domain, tags, _ := strings.Cut(r, " ")
			w.records = append(w.records, dmarcRecord{domain, parseTags(tags)})
		}
		return w
	}
	for name, c := range map[string]struct {
		w                  walk
		org, at, requested string
	}{
		"no record":                     {walked("a.b.example"), "a.b.example", "", ""},
		"its own":                       {walked("b.example", "b.example p=reject; sp=none"), "b.example", "b.example", "reject"},
		"that above":                    {walked("a.b.example", "b.example p=reject; sp=none"), "b.example", "b.example", "none"},
		"that above without sp":         {walked("a.b.example", "b.example p=reject"), "b.example", "b.example", "reject"},
		"both":                          {walked("a.b.example", "a.b.example p=none", "b.example p=reject"), "b.example", "a.b.example", "none"},
		"a border below":                {walked("x.a.b.example", "a.b.example psd=n; p=quarantine", "b.example p=reject"), "a.b.example", "a.b.example", "quarantine"},
		"a public suffix above":         {walked("x.a.b.example", "b.example psd=y; p=reject; sp=none"), "a.b.example", "b.example", "none"},
		"a public suffix itself":        {walked("b.example", "b.example psd=y; p=reject"), "b.example", "b.example", "reject"},
		"a record and a public suffix":  {walked("x.a.b.example", "a.b.example p=none", "b.example psd=y; p=reject"), "a.b.example", "a.b.example", "none"},
		"one above the public suffix's": {walked("x.a.b.example", "x.a.b.example p=none", "b.example psd=y"), "a.b.example", "x.a.b.example", "none"},
	} {
		if got := c.w.organization(); got != c.org {
			t.Errorf("%s: the organizational domain is %s, want %s", name, got, c.org)
		}
		record := c.w.policy()
		switch {
		case record == nil:
			if c.at != "" {
				t.Errorf("%s: no record applies, want that of %s", name, c.at)
			}
		case record.domain != c.at || record.requested(c.w.start) != c.requested:
			t.Errorf("%s: the record of %s applies and requests %q, want that of %s and %q", name, record.domain, record.requested(c.w.start), c.at, c.requested)
		}
	}
}

func TestAddressesOfMachinesAreDetected(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true, "192.0.2.1": false, "mail.example.org": false, "": false, "localhost.example.org": false} {
		if got := isLoopback(host); got != want {
			t.Errorf("%q is this machine: %v", host, got)
		}
	}
	for text, want := range map[string]bool{"203.0.113.5": true, "2001:db8::1": true, "203.0.113.5:25": false, "mail.example.org": false, "": false, "203.0.113.0/24": false} {
		if err := CheckAddress(text); (err == nil) != want || err != nil && !strings.Contains(err.Error(), "write one such as 203.0.113.5") {
			t.Errorf("%q: %v", text, err)
		}
	}
	var got []string
	for _, address := range parseAddresses([]string{"203.0.113.5", "::ffff:203.0.113.6", "nonsense", "", "2001:db8::1"}) {
		got = append(got, address.String())
	}
	if !slices.Equal(got, []string{"203.0.113.5", "203.0.113.6", "2001:db8::1"}) {
		t.Errorf("%q", got)
	}
}

func TestPartsOfHeadersAreReadFromAnyMail(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{"Ada@Mail.Example": "mail.example", `"a@b"@c.example`: "c.example", "no-address": "no-address", "": ""} {
		if got := domainOf(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
	for name, c := range map[string]struct{ mail, want string }{
		"one author":     {"From: Ada <ada@example.org>\n\nx", "ada@example.org"},
		"two authors":    {"From: ada@example.org, bob@example.org\n\nx", ""},
		"no author":      {"Subject: x\n\nx", ""},
		"a broken one":   {"From: Ada <ada@\n\nx", ""},
		"no mail at all": {"\x00", ""},
		"an empty mail":  {"", ""},
	} {
		if got := author(header([]byte(c.mail))); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := string(crlf([]byte("a\nb\r\nc\n"))); got != "a\r\nb\r\nc\r\n" {
		t.Errorf("%q", got)
	}
}
