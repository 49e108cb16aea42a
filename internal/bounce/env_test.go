package bounce

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/token"
	"github.com/tidings-press/tidings/mailer"
)

// env is a Processor with a recorder that keeps its outcomes.
type env struct {
	*Processor
	paths    *mailer.SignedAddresses
	recorder *memoryRecorder
}

var testNow = time.Date(2026, 3, 27, 8, 0, 0, 0, time.UTC)

var testID = mailer.DeliveryID{Edition: "0b29a4c6-95b2-4a3e-8d0f-0a6f6f1d2c3b", Person: token.PersonOf(uuid.MustParse("f3a0c0de-0000-4000-8000-000000001234"))}

func setup(t testing.TB) *env {
	t.Helper()
	paths, err := mailer.NewSignedAddresses([]byte("0123456789abcdef0123456789abcdef"), "bounces.example.org")
	if err != nil {
		t.Fatal(err)
	}
	b := &env{paths: paths, recorder: &memoryRecorder{outcomes: map[string]Outcome{}}}
	b.Processor = New(Options{
		Addresses: paths, Recorder: b.recorder, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return testNow },
		Mailboxes: []string{"Complaints@example.org"},
	})
	return b
}

// memoryRecorder records outcomes in memory, as the store does in a table.
type memoryRecorder struct {
	mu       sync.Mutex
	broken   bool
	calls    int
	outcomes map[string]Outcome
}

func (b *memoryRecorder) Record(_ context.Context, o Outcome) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	if b.broken {
		return false, errors.New("the store cannot be reached")
	}
	_, known := b.outcomes[o.Key]
	if !known {
		b.outcomes[o.Key] = o
	}
	return !known, nil
}

func (b *memoryRecorder) setBroken(broken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = broken
}

func (b *memoryRecorder) all() []Outcome {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Outcome
	for _, o := range b.outcomes {
		all = append(all, o)
	}
	return all
}

// only returns the only outcome, and fails if there are others.
func (b *memoryRecorder) only(t *testing.T) Outcome {
	t.Helper()
	all := b.all()
	if len(all) != 1 {
		t.Fatalf("%d outcomes, want 1: %+v", len(all), all)
	}
	return all[0]
}

// sample returns one of the mailer's sample reports, about the delivery of testID.
func (b *env) sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "mailer", "testdata", "reports", name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	data = bytes.ReplaceAll(data, []byte("VERP"), []byte(b.paths.ReturnPath(testID)))
	data = bytes.ReplaceAll(data, []byte("MSGID"), []byte(b.paths.MessageID(testID)))
	return bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
}
