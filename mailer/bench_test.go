package mailer

import (
	"bytes"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

// benchMessage is a digest of about 41 KB.
func benchMessage() Message {
	msg := testMessage()
	paragraph := "    <p style=\"margin: 0 0 16px; color: #222222\">A paragraph of an article, with a <a href=\"https://example.org/articles/x\">link</a> &amp; some words more.</p>\n"
	msg.HTML += strings.Repeat(paragraph, 190)
	msg.Text += strings.Repeat("A paragraph of an article as text, wrapped at some seventy characters.\n", 90)
	return msg
}

func benchCompiled(b *testing.B) *Compiled {
	b.Helper()
	compiled, err := Compile(benchMessage())
	if err != nil {
		b.Fatal(err)
	}
	return compiled
}

func BenchmarkCompile(b *testing.B) {
	msg := benchMessage()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(msg); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	compiled := benchCompiled(b)
	var out []byte
	b.ReportAllocs()
	b.SetBytes(int64(compiled.Size()))
	for b.Loop() {
		out = compiled.Render(out[:0], testValues)
	}
}

func BenchmarkRenderPlainName(b *testing.B) {
	compiled := benchCompiled(b)
	values := append([]string{"Ann Reader"}, testValues[1:]...)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = compiled.Render(out[:0], values)
	}
}

func BenchmarkCanonicalBody(b *testing.B) {
	_, body, _ := bytes.Cut(benchCompiled(b).Render(nil, testValues), []byte("\r\n\r\n"))
	var out []byte
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		out = relaxedBody(out[:0], body)
	}
}

func BenchmarkSign(b *testing.B) {
	keys, _ := testKeys()
	compiled := benchCompiled(b)
	for name, keys := range map[string][]DKIMKey{"rsa": keys[:1], "ed25519": keys[1:], "both": keys} {
		b.Run(name, func(b *testing.B) {
			signer, err := NewSigner(keys...)
			if err != nil {
				b.Fatal(err)
			}
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				if out, err = signer.Render(out[:0], compiled, testValues); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSignWithMsgauth measures go-msgauth's signer for comparison with ours.
func BenchmarkSignWithMsgauth(b *testing.B) {
	keys, _ := testKeys()
	mail := benchCompiled(b).Render(nil, testValues)
	for i, name := range []string{"rsa", "ed25519"} {
		b.Run(name, func(b *testing.B) {
			opts := &dkim.SignOptions{
				Domain: "example.org", Selector: keys[i].Selector, Signer: keys[i].Signer,
				HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
			}
			var out bytes.Buffer
			b.ReportAllocs()
			for b.Loop() {
				out.Reset()
				if err := dkim.Sign(&out, bytes.NewReader(mail), opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
