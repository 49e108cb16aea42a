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

// pollPOP3 returns a function that reads a mailbox by POP3 (RFC 1939). It implements the seven
// commands that it needs, which is less code than using a library would add.
//
// It keeps the unique ids of mails that stay in the mailbox, so that each is read once.
func pollPOP3(box Mailbox) pollFunc {
	known := map[string]bool{}
	return func(p poll) error {
		session, err := openPOP3(p.conn, box)
		if err != nil {
			return err
		}
		mails, err := session.list()
		if err != nil {
			return err
		}
		var failed error
		listed := map[string]bool{}
		for _, mail := range mails {
			listed[mail.unique] = true
			if known[mail.unique] || p.full() {
				continue
			}
			remove, err := session.processMail(mail.number, p.process)
			if errors.Is(err, errRefused) { // the mails behind it may be reports
				failed = errors.Join(failed, fmt.Errorf("mail %d: %w", mail.number, err))
				continue
			}
			if err != nil {
				return errors.Join(failed, err, session.quit()) // the server deletes at QUIT
			}
			known[mail.unique] = !remove
		}
		for unique := range known {
			if !listed[unique] {
				delete(known, unique)
			}
		}
		return errors.Join(failed, session.quit())
	}
}

// errRefused reports that the server answered a command with -ERR. The session goes on.
var errRefused = errors.New("pop3: the server refuses")

// pop3 is a POP3 session.
type pop3 struct{ text *textproto.Conn }

type pop3Mail struct {
	number int
	unique string
}

// openPOP3 reads the greeting, starts TLS if the setting is starttls (RFC 2595), and signs in.
func openPOP3(conn net.Conn, box Mailbox) (*pop3, error) {
	s := &pop3{textproto.NewConn(conn)}
	if _, err := s.reply(); err != nil {
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
	return s.reply()
}

func (s *pop3) reply() (string, error) {
	line, err := s.text.ReadLine()
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(line, "+OK") {
		return "", fmt.Errorf("%w: it says %.200q", errRefused, line)
	}
	return strings.TrimSpace(line[3:]), nil
}

// list returns the mails and their unique ids, as the server lists them.
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
			return nil, fmt.Errorf("pop3: %.80q is not a line of a UIDL reply", line)
		}
		mails = append(mails, pop3Mail{n, unique})
	}
	return mails, nil
}

// processMail reads and processes a mail, and deletes it if process reports that it should.
func (s *pop3) processMail(number int, process func(io.Reader) (bool, error)) (remove bool, err error) {
	if _, err := s.command("RETR " + strconv.Itoa(number)); err != nil {
		return false, err
	}
	body := s.text.DotReader()
	remove, err = process(body)
	if _, drained := io.Copy(io.Discard, body); drained != nil {
		return false, drained
	}
	if err == nil && remove {
		_, err = s.command("DELE " + strconv.Itoa(number))
	}
	return remove, err
}

func (s *pop3) quit() error {
	_, err := s.command("QUIT")
	return err
}
