package mailer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"strings"
	"testing"
)

// encoded returns a key in PEM.
func encoded(t *testing.T, kind string, der []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestPrivateKeysAreReadOrRefusedWithAReason(t *testing.T) {
	t.Parallel()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(small)
	good := encoded(t, "PRIVATE KEY", pkcs8, err)
	ofCurve, err := x509.MarshalPKCS8PrivateKey(curve)
	for name, c := range map[string]struct{ text, problem string }{
		"PKCS #8":                {good, ""},
		"PKCS #1":                {encoded(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(small), nil), ""},
		"with text before it":    {"Bag Attributes\n    friendlyName: x\n" + good, ""},
		"with Windows line ends": {strings.ReplaceAll(good, "\n", "\r\n"), ""},
		"nothing":                {"", "no PEM found; a private key begins with -----BEGIN PRIVATE KEY-----"},
		"only base64":            {strings.Join(strings.Split(good, "\n")[1:5], "\n"), "no PEM found"},
		"a public key":           {encoded(t, "PUBLIC KEY", pkcs8, nil), `PEM of type "PUBLIC KEY"; use a PRIVATE KEY`},
		"an encrypted key":       {encoded(t, "ENCRYPTED PRIVATE KEY", pkcs8, nil), `PEM of type "ENCRYPTED PRIVATE KEY"`},
		"an elliptic curve":      {encoded(t, "PRIVATE KEY", ofCurve, err), "a key of type *ecdsa.PrivateKey: RSA and Ed25519 can sign mail"},
		"cut off":                {encoded(t, "PRIVATE KEY", pkcs8[:40], nil), "mailer: asn1"},
		"PKCS #1, cut off":       {encoded(t, "RSA PRIVATE KEY", pkcs8[:40], nil), "mailer: "},
		"PKCS #8 as PKCS #1":     {encoded(t, "RSA PRIVATE KEY", pkcs8, nil), "mailer: "},
		"PKCS #1 as PKCS #8":     {encoded(t, "PRIVATE KEY", x509.MarshalPKCS1PrivateKey(small), nil), "mailer: "},
	} {
		key, err := ParsePrivateKey([]byte(c.text))
		if c.problem == "" {
			if err != nil || !small.Equal(key) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%s: %v, want %q", name, err, c.problem)
		}
	}
	if _, err := GenerateKey("dsa"); err == nil || !strings.Contains(err.Error(), `unknown kind of key "dsa"; use rsa or ed25519`) {
		t.Errorf("a kind of key that does not exist: %v", err)
	}
	if _, err := DKIMRecord(curve); err == nil {
		t.Error("an elliptic curve has a record")
	}
}

// failingKey is a key in a module that does not answer.
type failingKey struct{ ed25519.PrivateKey }

func (failingKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("no answer")
}

func TestInvalidKeysMakeNoSigner(t *testing.T) {
	t.Parallel()
	keys, _ := testKeys()
	tiny, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	tiny.N.Rsh(tiny.N, 1) // 1023 bits, below the least of RFC 8301
	_, good, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key     DKIMKey
		problem string
	}{
		"no domain":               {DKIMKey{"", "s", good}, "not a domain"},
		"a domain with a space":   {DKIMKey{"exa mple.org", "s", good}, "not a domain"},
		"a line break":            {DKIMKey{"example.org\r\nBcc: x", "s", good}, "not a domain"},
		"no selector":             {DKIMKey{"example.org", "", good}, "not a DKIM selector"},
		"a selector with a break": {DKIMKey{"example.org", "s;\r\n", good}, "not a DKIM selector"},
		"a selector in Unicode":   {DKIMKey{"example.org", "schlüssel", good}, "not a DKIM selector"},
		"a short key":             {DKIMKey{"example.org", "s", tiny}, "RSA with 1023 bits; receivers want 2048"},
		"no key":                  {DKIMKey{"example.org", "s", nil}, "a key of type <nil>"},
		"a key of another kind":   {DKIMKey{"example.org", "s", failingKey{good}}, "a key of type mailer.failingKey; RSA and Ed25519 can sign mail"},
	} {
		signer, err := NewSigner(keys[0], c.key)
		if signer != nil || err == nil || !strings.Contains(err.Error(), c.problem) || !strings.HasPrefix(err.Error(), "mailer: DKIM key ") {
			t.Errorf("%s: %v, want %q", name, err, c.problem)
		}
	}
	signer, err := NewSigner(DKIMKey{"bücher.example", "a.b", good})
	if err != nil {
		t.Fatal(err)
	}
	mail, err := signer.Sign(nil, []byte("From: a@b.example\r\n\r\nx\r\n"))
	if err != nil || !bytes.Contains(mail, []byte("d=xn--bcher-kva.example;\r\n s=a.b;\r\n")) {
		t.Errorf("%v: %s", err, mail)
	}
}

func TestSigningReportsWhatFails(t *testing.T) {
	t.Parallel()
	keys, _ := testKeys()
	signer, err := NewSigner(keys...)
	if err != nil {
		t.Fatal(err)
	}
	if mail, err := signer.Sign([]byte("kept"), []byte("From: a@b.example\r\nno end")); mail != nil || err == nil || !strings.Contains(err.Error(), "its header has no end") {
		t.Errorf("a mail without a body gives %q, %v", mail, err)
	}
	broken := &Signer{keys: []signingKey{{signer: failingKey{}, opts: crypto.Hash(0), prefix: "DKIM-Signature: v=1;\r\n"}}}
	if _, err := broken.Sign(nil, []byte("From: a@b.example\r\n\r\nx\r\n")); err == nil || !strings.Contains(err.Error(), "mailer: signing: no answer") {
		t.Errorf("a key that does not answer: %v", err)
	}
	none, err := NewSigner()
	if err != nil {
		t.Fatal(err)
	}
	if mail, err := none.Sign([]byte("a"), []byte("b")); err != nil || string(mail) != "ab" {
		t.Errorf("without keys: %q, %v", mail, err)
	}
}

// TestSignaturesOfRandomMailsVerify signs mails whose headers and bodies have white space, folds, empty
// lines and repeated fields in all places, and lets go-msgauth verify them: its canonicalization (RFC 6376,
// section 3.4) is independent of ours.
func TestSignaturesOfRandomMailsVerify(t *testing.T) {
	t.Parallel()
	keys, records := testKeys()
	rng := mathrand.New(mathrand.NewPCG(63, 76))
	signer, err := NewSigner(keys[1]) // Ed25519 is the faster
	if err != nil {
		t.Fatal(err)
	}
	record := map[string]string{}
	for name, text := range records {
		if strings.HasPrefix(name, keys[1].Selector+".") {
			record[name] = text
		}
	}
	pick := func(all ...string) string { return all[rng.IntN(len(all))] }
	names := []string{"Subject", "SUBJECT", "To", "Cc", "Reply-To", "Message-ID", "List-Id", "list-unsubscribe", "X-Other", "Received", "Content-Type", "Feedback-ID", "List-Post"}
	for i := range 300 {
		var mail strings.Builder
		fields := rng.IntN(8)
		from := rng.IntN(fields + 1)
		for n := range fields + 1 {
			if n == from {
				mail.WriteString("From:" + pick("", " ", "  ", "\r\n ") + "a@example.org\r\n")
			}
			mail.WriteString(names[rng.IntN(len(names))] + pick(":", ":", ": ", ":\t"))
			for range rng.IntN(6) {
				mail.WriteString(pick("word", "b=;", " ", "  ", "\t", "\r\n ", "\r\n\t ", "=?utf-8?q?x?=", "é", ":", "\""))
			}
			mail.WriteString("x" + pick("", "", " ", "\t ") + "\r\n")
		}
		mail.WriteString("\r\n")
		for range rng.IntN(10) {
			mail.WriteString(pick("text", " ", "  ", "\t", "\r\n", "\r\n", "\r\n\r\n", " \r\n", ".", "=20", "é"))
		}
		signed, err := signer.Sign(nil, []byte(mail.String()))
		if err == nil {
			err = verifyWithMsgauth(signed, record)
		}
		if err != nil {
			t.Fatalf("mail %d: %v\n%q", i, err, mail.String())
		}
	}
}

// TestRepeatedFieldsAreSignedFromTheLast (RFC 6376, section 5.4.2), and names that must stay single are
// listed once more than they occur (section 8.15).
func TestRepeatedFieldsAreSignedFromTheLast(t *testing.T) {
	t.Parallel()
	names, canonical := appendSignedHeaders(nil, splitHeaders([]byte("List-Post: one\r\nSubject : a\r\n\tb \r\nX: y\r\nlist-post:two\r\nFrom: c\r\nno field")))
	if want := "from:c\r\nsubject:a b\r\nlist-post:two\r\nlist-post:one\r\n"; string(canonical) != want {
		t.Errorf("%q is signed, want %q", canonical, want)
	}
	list := strings.Join(strings.Fields(names), "")
	for name, want := range map[string]int{":from": 1, "subject": 2, "list-post": 2, ":to": 1, "cc": 1, "list-help": 0, "x:": 0} {
		if n := strings.Count(list, name); n != want {
			t.Errorf("%s stands %d times in %s, want %d", name, n, list, want)
		}
	}
	if strings.Count(list, "from") != 2 || !strings.HasPrefix(list, "h=from:from:") || !strings.HasSuffix(list, ";") {
		t.Errorf("the list is %s", list)
	}
	for line := range strings.SplitSeq(names, "\r\n") {
		if len(line) > 78 {
			t.Errorf("a line of %d characters: %q", len(line), line)
		}
	}
	for _, length := range []int{0, 1, 51, 52, 53, 64, 256, 512} {
		text := string(appendFoldedBase64([]byte(" b="), make([]byte, length)))
		for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
			if len(line) > 73 || strings.TrimSpace(line) == "" && length > 0 {
				t.Errorf("%d octets: a line of %d characters: %q", length, len(line), line)
			}
		}
	}
}

// TestAddressesBetweenAngleBrackets: what would end the address is removed, and a quoted local part (RFC
// 5321, section 4.1.2) is kept as it is.
func TestAddressesBetweenAngleBrackets(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"ada@example.org":                 "ada@example.org",
		`"a b"@example.org`:               `"a b"@example.org`,
		`"a>b<"@example.org`:              `"a>b<"@example.org`,
		`"a\"b@c"@example.org`:            `"a\"b@c"@example.org`,
		`"a"b@example.org`:                `"a"b@example.org`,
		`"a b@example.org`:                `"ab@example.org`,
		`"a b" @example.org`:              `"ab"@example.org`,
		"a b@example.org":                 "ab@example.org",
		"a>\r\nBcc: x@example.org":        "aBcc:x@example.org",
		"ada@bücher.example":              "ada@xn--bcher-kva.example",
		"ädä@bücher.example":              "ädä@xn--bcher-kva.example",
		`"a b"@bücher.example`:            `"a b"@xn--bcher-kva.example`,
		"a\xffb@example.org":              "ab@example.org",
		"a\u00a0b\u0085@example.org":      "ab@example.org",
		"\"a\r\nb\"@example.org":          `"ab"@example.org`,
		"ada@" + strings.Repeat("x", 900): "ada@" + strings.Repeat("x", tokenMax-4),
		"":                                "",
	} {
		if got := mailboxAddress(address); got != want {
			t.Errorf("%q becomes %q, want %q", address, got, want)
		}
	}
	for url, want := range map[string]string{
		"https://bücher.example/ü?q=ü#ü": "https://xn--bcher-kva.example/%C3%BC?q=%C3%BC#%C3%BC",
		"https://bücher.example:8443":    "https://xn--bcher-kva.example:8443",
		"https://bücher.example?x":       "https://xn--bcher-kva.example?x",
		"https://example.org/ü":          "https://example.org/%C3%BC",
		"https://[::1]:80/ü":             "https://[::1]:80/%C3%BC",
		"mailto:ü@example.org":           "mailto:%C3%BC@example.org",
		"https://x/a b<c>\"d\"\r\ne":     "https://x/a%20b%3Cc%3E%22d%22%0D%0Ae",
		"https://x/%41":                  "https://x/%41",
	} {
		if got := string(appendToken(nil, url)); got != want {
			t.Errorf("%q becomes %q, want %q", url, got, want)
		}
	}
	if got := appendToken(nil, strings.Repeat("é", 1000)); len(got) < tokenMax || len(got) > tokenMax+2 {
		t.Errorf("a long token has %d octets, want about %d", len(got), tokenMax)
	}
}
