package mailer

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
)

// Bounds of a transcript.
const (
	transcriptLines = 200
	transcriptLine  = 500 // bytes
)

// hiddenText replaces what a transcript hides.
const hiddenText = "(hidden)"

// TranscriptLine is one line of a dialogue.
type TranscriptLine struct {
	Client bool // we sent it; the server did otherwise
	Text   string
}

// Transcript is the dialogue of a connection for people: without passwords, and without the text of
// mails. DialRecorded fills it.
type Transcript struct {
	Lines []TranscriptLine

	secrets []string
	auth    bool // the exchange of AUTH is going on
	body    int  // bytes of the mail that is being sent; -1 outside of one
	reply   []byte
}

// hide sets what must never be shown: the password in the forms in which it is sent.
func (t *Transcript) hide(user, password string) {
	t.body = -1
	if password == "" {
		return
	}
	encode := base64.StdEncoding.EncodeToString
	t.secrets = []string{password, encode([]byte(password)), encode([]byte("\x00" + user + "\x00" + password))}
}

func (t *Transcript) add(client bool, text string) {
	if len(t.Lines) >= transcriptLines {
		return
	}
	for _, secret := range t.secrets {
		text = strings.ReplaceAll(text, secret, hiddenText)
	}
	if len(text) > transcriptLine {
		text = text[:transcriptLine] + "…"
	}
	t.Lines = append(t.Lines, TranscriptLine{client, strings.ToValidUTF8(text, "?")})
}

// clientSide records what is written to the server.
type clientSide struct{ *Transcript }

// Write implements io.Writer.
func (t clientSide) Write(data []byte) (int, error) {
	rest := data
	for len(rest) > 0 {
		if t.body >= 0 {
			t.body += len(rest)
			if bytes.HasSuffix(rest, []byte("\r\n.\r\n")) || bytes.Equal(rest, []byte(".\r\n")) {
				t.add(true, fmt.Sprintf("(the mail, %d bytes)", t.body-len(".\r\n")))
				t.add(true, ".")
				t.body = -1
			}
			break
		}
		line, after, _ := bytes.Cut(rest, []byte("\r\n"))
		rest = after
		t.command(string(line))
	}
	return len(data), nil
}

func (t *Transcript) command(line string) {
	mechanism, isAuth := strings.CutPrefix(line, "AUTH ")
	switch {
	case isAuth:
		mechanism, _, initial := strings.Cut(mechanism, " ")
		text := "AUTH " + mechanism
		if initial {
			text += " " + hiddenText
		}
		t.auth = true
		t.add(true, text)
	case t.auth:
		t.add(true, hiddenText)
	default:
		t.add(true, line)
		if line == "DATA" {
			t.body = 0
		}
	}
}

// serverSide records what is read from the server.
type serverSide struct{ *Transcript }

// Write implements io.Writer.
func (t serverSide) Write(data []byte) (int, error) {
	t.reply = append(t.reply, data...)
	for {
		line, rest, found := bytes.Cut(t.reply, []byte("\n"))
		if !found {
			t.reply = t.reply[max(0, len(t.reply)-transcriptLine):]
			return len(data), nil
		}
		text := strings.TrimRight(string(line), "\r")
		t.reply = rest
		if t.auth && strings.HasPrefix(text, "334") {
			text = "334 " + hiddenText
		} else if t.auth {
			t.auth = strings.HasPrefix(text, "235-")
		}
		if t.body == 0 && len(text) > 0 && text[0] >= '4' {
			t.body = -1 // the server takes no mail
		}
		t.add(false, text)
	}
}
