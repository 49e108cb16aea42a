package mailer_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/mailer"
)

// benchMessage is a digest of about 41 KB.
func benchMessage() Message {
	msg := testMessage()
	paragraph := "    <p style=\"margin: 0 0 16px; color: #222222\">A paragraph of an article, with a <a href=\"https://example.org/articles/x\">link</a> &amp; some words more.</p>\n"
	msg.HTML += strings.Repeat(paragraph, 190)
	msg.Text += strings.Repeat("A paragraph of an article as text, wrapped at some seventy characters.\n", 90)
	return msg
}

func benchMould(b *testing.B) *Compiled {
	b.Helper()
	mould, err := Compile(benchMessage())
	if err != nil {
		b.Fatal(err)
	}
	return mould
}

func BenchmarkCast(b *testing.B) {
	msg := benchMessage()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(msg); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPour(b *testing.B) {
	mould := benchMould(b)
	var out []byte
	b.ReportAllocs()
	b.SetBytes(int64(mould.Size()))
	for b.Loop() {
		out = mould.Render(out[:0], testValues)
	}
}

func BenchmarkPourPlainName(b *testing.B) {
	mould := benchMould(b)
	values := append([]string{"Ann Reader"}, testValues[1:]...)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = mould.Render(out[:0], values)
	}
}

func BenchmarkCanonicalBody(b *testing.B) {
	_, body, _ := bytes.Cut(benchMould(b).Render(nil, testValues), []byte("\r\n\r\n"))
	var out []byte
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		out = relaxedBody(out[:0], body)
	}
}

func BenchmarkSign(b *testing.B) {
	keys, _ := testKeys()
	mould := benchMould(b)
	for name, keys := range map[string][]DKIMKey{"rsa": keys[:1], "ed25519": keys[1:], "both": keys} {
		b.Run(name, func(b *testing.B) {
			signer, err := NewSigner(keys...)
			if err != nil {
				b.Fatal(err)
			}
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				if out, err = signer.Render(out[:0], mould, testValues); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSignWithMsgauth is what our signer is measured against.
func BenchmarkSignWithMsgauth(b *testing.B) {
	keys, _ := testKeys()
	mail := benchMould(b).Render(nil, testValues)
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

// BenchmarkConnections pours 41 KB mails into a sink over eight connections, as
// `smtp-source -s 8 -l 41000` does.
func BenchmarkConnections(b *testing.B) {
	for name, relay := range map[string]mailer.Relay{"pipelined": {}, "single commands": {NoPipelining: true}} {
		b.Run(name, func(b *testing.B) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			server := sink.Start(listener, sink.Options{})
			defer server.Close()
			relay.Host, relay.Port, relay.Security = "127.0.0.1", listener.Addr().(*net.TCPAddr).Port, mailer.NoTLS
			mould, err := mailer.Compile(mailer.Message{
				From: mailer.Address{Email: "news@example.org"}, To: mailer.Address{Email: "markaddress"}, Subject: "x", MessageID: "markmessage",
				Text: "Stop: markunsubscribe\n", HTML: strings.Repeat("<p>Some text of an article, with a link or two.</p>\n", 780),
				Placeholders: []string{"markaddress", "markmessage", "markunsubscribe"},
			})
			if err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			var next atomic.Int64
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() { run(b, relay, mould, &next) })
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
			if n := server.Tally.Distinct(); n != int64(b.N) {
				b.Errorf("%d arrived of %d", n, b.N)
			}
		})
	}
}

func run(b *testing.B, relay mailer.Relay, mould *mailer.Compiled, next *atomic.Int64) {
	conn, err := mailer.Dial(context.Background(), relay)
	if err != nil {
		b.Error(err)
		return
	}
	defer func() { _ = conn.Quit() }()
	envelope := func() *mailer.Envelope {
		n := next.Add(1)
		if n > int64(b.N) {
			return nil
		}
		return &mailer.Envelope{From: "b-1@example.org", To: fmt.Sprintf("reader%d@example.net", n), Size: mould.Size()}
	}
	env := envelope()
	if env == nil || conn.SendEnvelope(context.Background(), *env) != nil {
		return
	}
	var body []byte
	for env != nil {
		if reply, err := conn.AwaitReady(context.Background()); err != nil || !reply.OK() {
			b.Error(reply, err)
			return
		}
		body = mould.Render(body[:0], []string{env.To, env.To, "https://example.org/u"})
		env = envelope()
		if reply, err := conn.Deliver(context.Background(), body, env); err != nil || !reply.OK() {
			b.Error(reply, err)
			return
		}
	}
}
