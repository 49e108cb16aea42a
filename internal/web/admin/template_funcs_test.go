package admin

import (
	"testing"
	"time"
)

func TestDurationsAndNumbersAreFormatted(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "1 second", time.Second: "1 second", 90 * time.Second: "90 seconds", 5 * time.Minute: "5 minutes", 3 * time.Hour: "3 hours",
		50 * time.Hour: "2 days", 2000 * 24 * time.Hour: "2,000 days",
	} {
		if got := duration(d); got != want {
			t.Errorf("%s is written %q, want %q", d, got, want)
		}
	}
	if until(-time.Second) != "now" || until(time.Hour) != "in 60 minutes" || ago(time.Second) != "just now" || ago(time.Hour) != "60 minutes ago" {
		t.Error("wrong words for a time before or after")
	}
	if plural(1, "reader", "readers") != "1 reader" || plural(int64(1204), "reader", "readers") != "1,204 readers" || percent(1, 0) != "0 %" || percent(1, 3) != "33 %" {
		t.Error("wrong words for a number")
	}
}
