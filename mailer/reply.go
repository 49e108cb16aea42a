package mailer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	replyLines = 100 // maximum number of lines of a reply
	replyText  = 500 // maximum length of Reply.Text in octets
)

// Reply is a reply of a server.
type Reply struct {
	Stage    Stage
	Code     int    // three digits; 0 for none
	Enhanced string // RFC 3463, such as "5.1.1"; empty if not given
	Text     string // without codes, lines joined by a space, at most 500 octets
	Local    bool   // made by this package: the envelope was not sent to the server

	// fromStatusField means that Enhanced is the Status field of a report, because the server's
	// reply in it has no enhanced code.
	fromStatusField bool
}

// OK reports whether the reply is positive: 2xx, or 354 to DATA.
func (r Reply) OK() bool { return r.Code >= 200 && r.Code < 400 }

// Temporary reports whether the reply is a temporary refusal: 4xx.
func (r Reply) Temporary() bool { return r.Code >= 400 && r.Code < 500 }

// String returns the reply on one line, as it is stored.
func (r Reply) String() string {
	if r.Code == 0 {
		return strings.TrimSpace(r.Enhanced + " " + r.Text)
	}
	if r.Enhanced == "" {
		return strings.TrimSpace(strconv.Itoa(r.Code) + " " + r.Text)
	}
	return strings.TrimSpace(strconv.Itoa(r.Code) + " " + r.Enhanced + " " + r.Text)
}

// Throttled reports whether the server asks to slow down: 421 or 4.7.x. Greylisting, which also
// uses 4.7.1, does not count: it defers every new recipient once, whatever the speed, so slowing
// down for it would keep an edition from being finished.
func (r Reply) Throttled() bool {
	if text := strings.ToLower(r.Text); strings.Contains(text, "greylist") || strings.Contains(text, "graylist") {
		return r.Code == 421
	}
	return r.Code == 421 || strings.HasPrefix(r.Enhanced, "4.7.")
}

// readReply reads one reply of one or more lines (RFC 5321, section 4.2).
func readReply(r *bufio.Reader, stage Stage) (Reply, error) { return readReplyLines(r, stage, nil) }

// readReplyLines reads a reply and calls each, if it is not nil, with the whole text of every line.
// Reply.Text keeps only a bounded part of them.
func readReplyLines(r *bufio.Reader, stage Stage, each func(text string)) (Reply, error) {
	reply := Reply{Stage: stage}
	for range replyLines {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return reply, fmt.Errorf("a reply line longer than %d octets", r.Size())
		}
		if err != nil {
			return reply, err
		}
		line = bytes.TrimRight(line, "\r\n")
		more, err := reply.addLine(line)
		if err == nil && each != nil {
			each(string(line[min(4, len(line)):]))
		}
		if err != nil || !more {
			return reply, err
		}
	}
	return reply, fmt.Errorf("a reply of more than %d lines", replyLines)
}

// addLine adds one line of a reply and reports whether more follow.
func (r *Reply) addLine(line []byte) (more bool, err error) {
	code, ok := replyCode(line)
	if !ok || r.Code != 0 && r.Code != code {
		return false, fmt.Errorf("%q is not an SMTP reply", line[:min(len(line), 80)])
	}
	r.Code = code
	if len(line) == 3 {
		return false, nil
	}
	text := string(line[4:])
	if enhanced, rest := cutEnhanced(text); enhanced != "" && enhanced[0] == line[0] {
		r.Enhanced, text = enhanced, rest
	}
	r.addText(text)
	return line[3] == '-', nil
}

// replyCode reads the three digits of a reply line. RFC 5321, section 4.2 requires a space, a
// hyphen or nothing after them.
func replyCode(line []byte) (int, bool) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || len(line) > 3 && line[3] != ' ' && line[3] != '-' {
		return 0, false
	}
	code, err := strconv.Atoi(string(line[:3]))
	return code, err == nil
}

// addText appends a line to Text, as valid UTF-8 without control characters: Text is stored and
// shown on pages.
func (r *Reply) addText(text string) {
	text = singleLine(text)
	if r.Text != "" && text != "" {
		text = " " + text
	}
	if left := replyText - len(r.Text); len(text) > left {
		text = strings.ToValidUTF8(text[:left], "")
	}
	r.Text += text
}

// cutEnhanced splits a text into the enhanced status code (RFC 2034, section 4) at its start, or
// "", and the rest.
func cutEnhanced(text string) (code, rest string) {
	word, rest, _ := strings.Cut(text, " ")
	if !isEnhanced(word) {
		return "", text
	}
	return word, rest
}

func isEnhanced(word string) bool {
	class, detail, ok := strings.Cut(word, ".")
	if !ok || class != "2" && class != "4" && class != "5" {
		return false
	}
	subject, detail, ok := strings.Cut(detail, ".")
	return ok && isNumber(subject) && isNumber(detail)
}

func isNumber(s string) bool {
	if len(s) < 1 || len(s) > 3 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
