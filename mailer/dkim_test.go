package mailer

import (
	"bytes"
	"crypto/rsa"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

// testKeys are generated once, because RSA keys take a while.
var testKeys = sync.OnceValues(func() ([]DKIMKey, map[string]string) {
	var keys []DKIMKey
	records := map[string]string{}
	for selector, kind := range map[string]string{"r2026": "rsa", "e2026": "ed25519"} {
		fresh, err := GenerateKey(kind)
		if err != nil {
			panic(err)
		}
		signer, err := ParsePrivateKey(fresh.PEM)
		if err != nil {
			panic(err)
		}
		keys = append(keys, DKIMKey{"example.org", selector, signer})
		records[selector+"._domainkey.example.org"] = fresh.Record
	}
	if _, first := keys[0].Signer.(*rsa.PrivateKey); !first {
		keys[0], keys[1] = keys[1], keys[0]
	}
	return keys, records
})

func signedMail(t testing.TB, msg Message, values []string, keys ...DKIMKey) []byte {
	t.Helper()
	compiled, err := Compile(msg)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner(keys...)
	if err != nil {
		t.Fatal(err)
	}
	out, err := signer.Sign(nil, compiled.Render(nil, values))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var testValues = []string{"Élodie  Œuvre", "reader1@example.net", "https://example.org/unsubscribe/" + strings.Repeat("token", 12) + "?a=1&b=2", "id@example.org"}

// hardMail returns a mail that verifiers often fail on: folded headers, an h= tag of several lines,
// runs of spaces, empty lines at the end.
func hardMail(t testing.TB, keys ...DKIMKey) []byte {
	msg := testMessage()
	msg.Text += "  runs   of    spaces \t and tabs \n\n\n"
	msg.HTML += "\n<p>  \t x</p>   \n\n\n\n"
	msg.Subject = strings.Repeat("A long subject about many things ", 5)
	return signedMail(t, msg, testValues, keys...)
}

func verifyWithMsgauth(mail []byte, records map[string]string) error {
	results, err := dkim.VerifyWithOptions(bytes.NewReader(mail), &dkim.VerifyOptions{LookupTXT: func(domain string) ([]string, error) {
		if record, ok := records[domain]; ok {
			return []string{record}, nil
		}
		return nil, fmt.Errorf("no record of %s", domain)
	}})
	if err != nil {
		return err
	}
	if len(results) != len(records) {
		return fmt.Errorf("%d signatures, want %d", len(results), len(records))
	}
	for _, r := range results {
		if r.Err != nil {
			return r.Err
		}
	}
	return nil
}

func TestSignaturesVerifyWithMsgauth(t *testing.T) {
	t.Parallel()
	keys, records := testKeys()
	mail := hardMail(t, keys...)
	if err := verifyWithMsgauth(mail, records); err != nil {
		t.Errorf("%v\n%s", err, mail[:2000])
	}
	checkWire(t, mail)
	if n := bytes.Count(mail, []byte("DKIM-Signature:")); n != 2 {
		t.Errorf("%d signatures, want 2", n)
	}
}

func TestChangedMailsDoNotVerify(t *testing.T) {
	t.Parallel()
	keys, records := testKeys()
	mail := hardMail(t, keys...)
	for name, change := range map[string]func([]byte) []byte{
		"a second From": func(m []byte) []byte { return append([]byte("From: bad@example.com\r\n"), m...) },
		"a second List-Unsubscribe": func(m []byte) []byte {
			return append([]byte("List-Unsubscribe: <https://evil.example>\r\n"), m...)
		},
		"an added Cc":     func(m []byte) []byte { return append([]byte("Cc: other@example.com\r\n"), m...) },
		"a longer body":   func(m []byte) []byte { return append(bytes.Clone(m), "more\r\n"...) },
		"another token":   func(m []byte) []byte { return bytes.Replace(m, []byte("tokentoken"), []byte("tokennekot"), 1) },
		"another subject": func(m []byte) []byte { return bytes.Replace(m, []byte("about"), []byte("above"), 1) },
	} {
		if verifyWithMsgauth(change(mail), records) == nil {
			t.Errorf("%s is not detected", name)
		}
	}
}

func TestSignedMailIsTheSameOnEveryTry(t *testing.T) {
	t.Parallel()
	keys, _ := testKeys()
	if !bytes.Equal(hardMail(t, keys...), hardMail(t, keys...)) {
		t.Error("two signatures differ")
	}
}

func TestSignerRenderEqualsSign(t *testing.T) {
	t.Parallel()
	keys, _ := testKeys()
	signer, err := NewSigner(keys[1])
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 300 {
		msg := testMessage()
		msg.Text, msg.HTML = randomBody(rng), randomBody(rng)
		if i%10 == 0 {
			msg.Text = ""
		}
		values := []string{hostile[rng.IntN(len(hostile))], "a@example.net", hostile[rng.IntN(len(hostile))], "id@x"}
		compiled, err := Compile(msg)
		if err != nil {
			t.Fatal(err)
		}
		want, err := signer.Sign(nil, compiled.Render(nil, values))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := signer.Render(nil, compiled, values); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v\n%s\nwant\n%s", err, got, want)
		}
	}
}

func TestSignerClonesWorkInParallel(t *testing.T) {
	t.Parallel()
	keys, records := testKeys()
	signer, err := NewSigner(keys...)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := Compile(testMessage())
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		own := signer.Clone()
		wg.Go(func() {
			for j := range 10 {
				out, err := own.Sign(nil, compiled.Render(nil, []string{fmt.Sprint(i, j), "a@example.net", "u", "i@x"}))
				if err == nil {
					err = verifyWithMsgauth(out, records)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// python is Debian's interpreter, which has the module.
const python = "/usr/bin/python3"

const verifyScript = `
import dkim, json, sys
records = json.loads(sys.argv[1])
def lookup(name, timeout=5):
    return records.get(name.decode().rstrip("."), "").encode()
d = dkim.DKIM(open(sys.argv[2], "rb").read())
for i in range(int(sys.argv[3])):
    print("good" if d.verify(i, dnsfunc=lookup) else "bad")
`

func TestSignaturesVerifyWithPythonDKIM(t *testing.T) {
	t.Parallel()
	if err := exec.Command(python, "-c", "import dkim, nacl").Run(); err != nil {
		t.Skipf("SKIPPED: Debian's python3-dkim and python3-nacl are needed: %v", err)
	}
	keys, records := testKeys()
	file := writeFile(t, "mail", hardMail(t, keys...))
	lookup := []string{}
	for name, record := range records {
		lookup = append(lookup, fmt.Sprintf("%q: %q", name, record))
	}
	out, err := exec.Command(python, "-c", verifyScript, "{"+strings.Join(lookup, ",")+"}", file, "2").CombinedOutput()
	if err != nil || string(out) != "good\ngood\n" {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestSignaturesVerifyWithOpenDKIM(t *testing.T) {
	t.Parallel()
	const program = "/usr/sbin/opendkim"
	if _, err := os.Stat(program); err != nil {
		t.Skipf("SKIPPED: Debian's opendkim is needed: %v", err)
	}
	keys, records := testKeys()
	for _, key := range keys { // OpenDKIM reports only one signature of a mail
		var dns strings.Builder
		for name, record := range records {
			fmt.Fprintf(&dns, "%s %s\n", name, record)
		}
		config := "Mode v\nSyslog no\nTestDNSData " + writeFile(t, "dns", []byte(dns.String())) + "\n"
		cmd := exec.Command(program, "-vvv", "-x", writeFile(t, "conf", []byte(config)), "-t", writeFile(t, "mail", hardMail(t, key)))
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "verification (s="+key.Selector) || !strings.Contains(string(out), "succeeded") {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSignaturesVerifyBelowARelaysHeaders renders a mail below headers that were added for a relay.
func TestSignaturesVerifyBelowARelaysHeaders(t *testing.T) {
	t.Parallel()
	keys, records := testKeys()
	signer, err := NewSigner(keys...)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := Compile(testMessage())
	if err != nil {
		t.Fatal(err)
	}
	head := []byte("X-PM-KeepID: true\r\n")
	mail, err := signer.Render(bytes.Clone(head), compiled, testValues)
	if err != nil || !bytes.HasPrefix(mail, head) {
		t.Fatalf("%.100q, %v", mail, err)
	}
	if err := verifyWithMsgauth(mail, records); err != nil {
		t.Error(err)
	}
}

func TestCanonicalBody(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                               "",
		"\r\n":                           "",
		"\r\n\r\n\r\n":                   "",
		"a":                              "a\r\n",
		" C \r\nD \t E\r\n\r\n\r\n":      " C\r\nD E\r\n", // RFC 6376, section 3.4.5
		"a  b   c\r\n    d\r\n":          "a b c\r\n d\r\n",
		"   \r\nx\r\n":                   "\r\nx\r\n",
		"x\r\n   \r\n":                   "x\r\n",
		"end  ":                          "end\r\n",
		"one\r\n\r\ntwo  three\r\n\r\n ": "one\r\n\r\ntwo three\r\n",
	} {
		if got := string(relaxedBody(nil, []byte(body))); got != want {
			t.Errorf("%q gives %q, want %q", body, got, want)
		}
	}
}

func FuzzCanonicalBody(f *testing.F) {
	f.Add([]byte("a  b\r\n c \r\n\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		fast := relaxedBody([]byte("x"), body)
		once := relaxedBody(nil, append([]byte("\t \r\n"), body...)) // the tab forces relaxedLines
		once = bytes.TrimPrefix(once, []byte("\r\n"))
		if len(fast) > 1 && !bytes.Equal(fast[1:], once) {
			t.Errorf("%q gives %q the fast way and %q line by line", body, fast[1:], once)
		}
	})
}
