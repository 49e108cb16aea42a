package mailer_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/mailer"
)

// BenchmarkConnections renders 41 KB mails into a sink over eight connections, as
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
			compiled, err := mailer.Compile(mailer.Message{
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
				wg.Go(func() { run(b, relay, compiled, &next) })
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
			if n := server.Tally.Distinct(); n != int64(b.N) {
				b.Errorf("%d of %d mails arrived", n, b.N)
			}
		})
	}
}

func run(b *testing.B, relay mailer.Relay, compiled *mailer.Compiled, next *atomic.Int64) {
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
		return &mailer.Envelope{From: "b-1@example.org", To: fmt.Sprintf("reader%d@example.net", n), Size: compiled.Size()}
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
		body = compiled.Render(body[:0], []string{env.To, env.To, "https://example.org/u"})
		env = envelope()
		if reply, err := conn.Deliver(context.Background(), body, env); err != nil || !reply.OK() {
			b.Error(reply, err)
			return
		}
	}
}
