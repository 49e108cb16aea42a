package mailer

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
)

func TestTranscriptHidesSecretsAndMails(t *testing.T) {
	t.Parallel()
	var got Transcript
	got.hide("ann", "hunter2")
	client, server := clientSide{&got}, serverSide{&got}
	encode := base64.StdEncoding.EncodeToString
	for _, step := range []struct{ client, server string }{
		{"", "220 mail.example ready\r\n"},
		{"EHLO press.example\r\n", "250-mail.example\r\n250 AUTH PLAIN LOGIN\r\n"},
		{"AUTH LOGIN " + encode([]byte("ann")) + "\r\n", "334 UGFzc3dvcmQ6\r\n"},
		{encode([]byte("hunter2")) + "\r\n", "535 no such user: " + encode([]byte("hunter2")) + " (hunter2)\r\n"},
		{"AUTH PLAIN " + encode([]byte("\x00ann\x00hunter2")) + "\r\n", "235 welcome\r\n"},
		{"MAIL FROM:<a@press.example>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n", "250 ok\r\n250 ok\r\n354 go"},
		{"", " ahead\r\n"},
		{"Subject: private words\r\n\r\nA secret text\r\n.\r\n", "250 queued\r\n"},
		{"QUIT\r\n", "221 bye\r\n"},
	} {
		_, _ = client.Write([]byte(step.client)) // they cannot fail
		_, _ = server.Write([]byte(step.server))
	}
	text := fmt.Sprint(got.Lines)
	for _, hidden := range []string{"hunter2", encode([]byte("hunter2")), encode([]byte("ann")), "private words", "secret text", "UGFzc3dvcmQ6"} {
		if strings.Contains(text, hidden) {
			t.Errorf("the transcript shows %q:\n%s", hidden, text)
		}
	}
	for _, shown := range []string{"EHLO press.example", "AUTH LOGIN (hidden)", "AUTH PLAIN (hidden)", "535 no such user: (hidden)", "RCPT TO:<b@example.org>", "354 go ahead", "(the mail, 41 bytes)", "250 queued", "QUIT", "221 bye"} {
		if !strings.Contains(text, shown) {
			t.Errorf("the transcript lacks %q:\n%s", shown, text)
		}
	}
	for range 1000 {
		_, _ = server.Write([]byte(strings.Repeat("x", 5000) + "\r\n"))
	}
	if len(got.Lines) != transcriptLines || len(got.Lines[transcriptLines-1].Text) > transcriptLine+len("…") {
		t.Errorf("%d lines, the last of %d bytes", len(got.Lines), len(got.Lines[len(got.Lines)-1].Text))
	}
}
