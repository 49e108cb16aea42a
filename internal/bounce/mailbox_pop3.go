package bounce

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
)

// pop3Visitor goes through a mailbox by POP3 (RFC 1939), of which a visit needs
// seven commands: that is less than a library.
//
// Mails that stay are remembered by their unique ids, so as to be read once only.
func pop3Visitor(box Mailbox) visitFunc {
	known := map[string]bool{}
	return func(v visit) error {
		session, err := openPOP3(v.conn, box)
		if err != nil {
			return err
		}
		mails, err := session.list()
		if err != nil {
			return err
		}
		here := map[string]bool{}
		for _, mail := range mails {
			here[mail.unique] = true
			if known[mail.unique] || v.full() {
				continue
			}
			gone, err := session.judge(mail.number, v.process)
			if err != nil {
				return errors.Join(err, session.quit()) // QUIT deletes what was acted on
			}
			known[mail.unique] = !gone
		}
		for unique := range known {
			if !here[unique] {
				delete(known, unique)
			}
		}
		return session.quit()
	}
}

// pop3 is a session.
type pop3 struct{ text *textproto.Conn }

type pop3Mail struct {
	number int
	unique string
}

// openPOP3 greets, turns to TLS when asked to (RFC 2595) and signs in.
func openPOP3(conn net.Conn, box Mailbox) (*pop3, error) {
	s := &pop3{textproto.NewConn(conn)}
	if _, err := s.answer(); err != nil {
		return nil, err
	}
	if box.TLS == "starttls" {
		if _, err := s.command("STLS"); err != nil {
			return nil, err
		}
		s.text = textproto.NewConn(tls.Client(conn, box.Config))
	}
	for _, word := range []string{"USER " + box.Username, "PASS " + box.Password} {
		if strings.ContainsAny(word, "\r\n") {
			return nil, errors.New("pop3: a line break in the user name or password")
		}
		if _, err := s.command(word); err != nil {
			return nil, fmt.Errorf("signing in: %w", err)
		}
	}
	return s, nil
}

func (s *pop3) command(line string) (string, error) {
	if err := s.text.PrintfLine("%s", line); err != nil {
		return "", err
	}
	return s.answer()
}

func (s *pop3) answer() (string, error) {
	line, err := s.text.ReadLine()
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(line, "+OK") {
		return "", fmt.Errorf("pop3: the server says %.200q", line)
	}
	return strings.TrimSpace(line[3:]), nil
}

// list gives the mails with their unique ids, the oldest first.
func (s *pop3) list() ([]pop3Mail, error) {
	if _, err := s.command("UIDL"); err != nil {
		return nil, err
	}
	lines, err := s.text.ReadDotLines()
	if err != nil {
		return nil, err
	}
	mails := make([]pop3Mail, 0, len(lines))
	for _, line := range lines {
		number, unique, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("pop3: %.80q is no line of UIDL", line)
		}
		mails = append(mails, pop3Mail{n, unique})
	}
	return mails, nil
}

// judge reads one mail and deletes it when it is done with.
func (s *pop3) judge(number int, judge func(io.Reader) (bool, error)) (gone bool, err error) {
	if _, err := s.command("RETR " + strconv.Itoa(number)); err != nil {
		return false, err
	}
	body := s.text.DotReader()
	gone, err = judge(body)
	if _, drained := io.Copy(io.Discard, body); drained != nil {
		return false, drained
	}
	if err == nil && gone {
		_, err = s.command("DELE " + strconv.Itoa(number))
	}
	return gone, err
}

func (s *pop3) quit() error {
	_, err := s.command("QUIT")
	return err
}
