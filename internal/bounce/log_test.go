package bounce

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestLogOfABounceNamesNoAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var log bytes.Buffer
	b.Processor.log = slog.New(slog.NewTextHandler(&log, nil))
	if verdict, err := b.Receive(t.Context(), "smtp", nil, bytes.NewReader(b.sample(t, "postfix"))); err != nil || verdict != Recorded {
		t.Fatalf("%s, %v", verdict, err)
	}
	if text := log.String(); !strings.Contains(text, "550") || strings.Contains(text, "@") {
		t.Errorf("the log says: %s", text)
	}
}
