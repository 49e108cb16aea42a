package delivery_test

import (
	"bytes"
	"net/mail"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// TestRelayHeadersAreOnEveryMail covers mails that follow each other on one connection, whose
// buffers are reused, and single mails.
func TestRelayHeadersAreOnEveryMail(t *testing.T) {
	t.Parallel()
	f := setupFaulty(t, sink.Options{})
	f.options.Relays[0].Headers = []string{"X-PM-KeepID: true", "X-PM-Message-Stream: broadcast", "X-PM-Metadata-delivery: {message_id}"}
	f.options.Relays[0].Connections = 1
	f.addSubscribers(12)
	f.addArticle("ferries")
	f.start()
	if _, err := f.engine.SendTest(t.Context(), "weekly", delivery.PreviewOptions{}, subscriber.MustParseAddress("editor@example.org")); err != nil {
		t.Fatal(err)
	}
	f.sent(f.send().ID)
	f.wantOneMailEach(13)
	for _, m := range f.server.Mails() {
		if !bytes.HasPrefix(m.Data, []byte("X-PM-KeepID: true\r\nX-PM-Message-Stream: broadcast\r\n")) {
			t.Errorf("a mail to %s begins with %.80q", m.To, m.Data)
		}
		got, err := mail.ReadMessage(bytes.NewReader(m.Data))
		if err != nil {
			t.Fatal(err)
		}
		if id := strings.Trim(got.Header.Get("Message-Id"), "<>"); id == "" || got.Header.Get("X-PM-Metadata-delivery") != id {
			t.Errorf("a mail to %s has the Message-ID %q, and %q in the header for the service", m.To, id, got.Header.Get("X-PM-Metadata-delivery"))
		}
		for _, name := range []string{"X-Pm-Keepid", "X-Pm-Message-Stream", "X-Pm-Metadata-Delivery", "Message-Id", "From", "To", "List-Unsubscribe"} {
			if n := len(got.Header[name]); n != 1 {
				t.Errorf("a mail to %s has %d headers %s", m.To, n, name)
			}
		}
	}
}
