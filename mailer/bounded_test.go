package mailer

import (
	"strings"
	"testing"
	"time"
)

// TestHostileReportsAreReadInTime: anyone may write to the address for complaints.
func TestHostileReportsAreReadInTime(t *testing.T) {
	head := "From: mailer-daemon@example.net\r\nSubject: undeliverable\r\n\r\n"
	parts := "From: mailer-daemon@example.net\r\nContent-Type: multipart/report; boundary=a\r\n\r\n" +
		strings.Repeat("--a\r\nContent-Type: text/html\r\n\r\n"+strings.Repeat("<p>550 user<", 1000)+"\r\n", 80)
	for name, mail := range map[string]string{
		"one long line":  head + strings.Repeat("550 5.1.1 x ", 1<<17),
		"many replies":   head + strings.Repeat("550 a@b: user \r\n", 1<<16),
		"open brackets":  head + strings.Repeat("<", 1<<20),
		"fields":         head + strings.Repeat("Action: x\r\n", 1<<16) + "z",
		"dashes":         head + strings.Repeat("-- ", 1<<18),
		"Chinese":        head + strings.Repeat("收件人", 1<<17),
		"words":          head + strings.Repeat("user mailbox account ", 1<<15),
		"many parts":     parts,
		"nested parts":   strings.Repeat("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n", 1<<14),
		"one long field": "From: mailer-daemon@example.net\r\nSubject: undeliverable\r\nX: " + strings.Repeat("=?utf-8?q?a?= ", 1<<16) + "\r\n\r\nx",
	} {
		began := time.Now()
		_, _ = ParseReport(strings.NewReader(mail))
		IsAutomatic([]byte(mail))
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: %d bytes took %s", name, len(mail), took)
		}
		t.Log(name, time.Since(began))
	}
}
