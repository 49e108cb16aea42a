package delivery_test

import (
	"bytes"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
	"github.com/tidings-press/tidings/internal/token"
)

// messageNames returns the Message-ID and the return path of each address's mail.
func (b *env) messageNames() map[string][2]string {
	b.t.Helper()
	out := map[string][2]string{}
	for _, m := range b.server.Mails() {
		got, err := mail.ReadMessage(bytes.NewReader(m.Data))
		if err != nil {
			b.t.Fatal(err)
		}
		out[m.To[0]] = [2]string{got.Header.Get("Message-Id"), m.From}
	}
	return out
}

// TestSecondCopyAfterRestoreHasTheSameMessageID: a tick that fired after the backup fires again in
// the restored store. The edition has other rows, but its mails have the same Message-IDs and
// return paths, so that receivers can drop the copy and a bounce of the first one is still matched
// to its subscriber.
func TestSecondCopyAfterRestoreHasTheSameMessageID(t *testing.T) {
	t.Parallel()
	daily, err := schedule.Parse("0 8 * * *", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	var c clock
	c.now.Store(time.Date(2026, 3, 27, 7, 59, 59, 0, time.UTC).UnixMilli())
	dir := t.TempDir()
	backup := filepath.Join(dir, "backup.db")
	open := func(path string) *env {
		dsn := "sqlite:" + path
		b := setupOn(t, dsn, sink.Options{})
		b.store = storetest.Reopen(t, dsn, store.Options{Clock: c.Now})
		b.options.Store, b.options.Digests[0].Schedule = b.store, daily
		return b
	}
	first := open(filepath.Join(dir, "first.db"))
	first.newDeliveryEngine()
	first.addSubscribers(4)
	first.addArticle("ferries")
	if _, err := first.store.DB().ExecContext(t.Context(), "VACUUM INTO '"+backup+"'"); err != nil {
		t.Fatal(err)
	}
	late, err := first.store.AddSubscriber(t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress("late@example.org"), State: subscriber.Active})
	if err != nil {
		t.Fatal(err)
	}
	c.advance(2 * time.Second)
	first.run()
	first.eventually("the first copies", func() bool { return len(first.server.Mails()) == 4 })
	first.stop()

	data, err := os.ReadFile(backup)
	if err != nil {
		t.Fatal(err)
	}
	restored := filepath.Join(dir, "restored.db")
	if err := os.WriteFile(restored, data, 0o600); err != nil {
		t.Fatal(err)
	}
	second := open(restored)
	// The subscriber who was added after the backup is lost; the next one gets the same number.
	other, err := second.store.AddSubscriber(t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress("other@example.org"), State: subscriber.Active})
	if err != nil || other.ID != late.ID || other.UID == late.UID {
		t.Fatalf("%+v does not have the number of %+v, or has its random id too: %v", other, late, err)
	}
	if err := second.store.Subscribe(t.Context(), other.ID, "weekly", nil); err != nil {
		t.Fatal(err)
	}
	second.start()
	second.eventually("the second copies", func() bool { return len(second.server.Mails()) == 5 })
	before, after := first.messageNames(), second.messageNames()
	seen := map[string]bool{}
	for address, names := range after {
		if want, sent := before[address]; sent && names != want {
			t.Errorf("the second copy to %s has the ids %q, the first %q", address, names, want)
		}
		if seen[names[0]] || !strings.HasPrefix(names[0], "<m-") {
			t.Errorf("Message-ID %s is empty or used twice", names[0])
		}
		seen[names[0]] = true
	}
	if _, err := second.store.SubscriberByToken(t.Context(), token.PersonOf(late.UID)); err == nil {
		t.Error("a link of the lost subscriber opens the page of another")
	}
}
