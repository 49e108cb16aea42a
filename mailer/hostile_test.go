package mailer_test

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/mailer"
)

// answering starts a server that greets, and answers each line with the next of its answers, octet by
// octet if pieces is set. "cut" ends the connection; after the last answer it waits. The channel receives
// the lines of the client when its connection has ended.
func answering(t *testing.T, pieces bool, greeting string, answers ...string) (mailer.Relay, <-chan []string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	received := make(chan []string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		say := func(text string) {
			for len(text) > 0 {
				n := len(text)
				if pieces {
					n = 1
				}
				if _, err := io.WriteString(conn, text[:n]); err != nil {
					return
				}
				text = text[n:]
			}
		}
		var lines []string
		say(greeting)
		for scanner := bufio.NewScanner(conn); scanner.Scan(); {
			lines = append(lines, scanner.Text())
			if len(answers) == 0 {
				continue
			}
			if answers[0] == "cut" {
				break
			}
			say(answers[0])
			answers = answers[1:]
		}
		received <- lines
	}()
	return plainRelay(listener.Addr().(*net.TCPAddr).Port), received
}

// TestOfferOfTheServer reads replies to EHLO (RFC 5321, section 4.1.1.1) as servers write them.
func TestOfferOfTheServer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers    []string
		extensions string
		size       int
		pieces     bool
	}{
		"keywords in any case":        {answers: []string{"250-mx\r\n250-pipelining\r\n250-Size 1000\r\n250 SMTPUTF8\r\n"}, extensions: "PIPELINING SIZE SMTPUTF8", size: 1000},
		"in pieces":                   {answers: []string{"250-mx\r\n250-PIPELINING\r\n250 SIZE 1000\r\n"}, extensions: "PIPELINING SIZE", size: 1000, pieces: true},
		"no limit of size":            {answers: []string{"250-mx\r\n250 SIZE 0\r\n"}, extensions: "SIZE"},
		"a size that is no number":    {answers: []string{"250-mx\r\n250 SIZE 10M\r\n"}, extensions: "SIZE"},
		"a negative size":             {answers: []string{"250-mx\r\n250 SIZE -1\r\n"}, extensions: "SIZE"},
		"a size beyond 64 bits":       {answers: []string{"250-mx\r\n250 SIZE 99999999999999999999\r\n"}, extensions: "SIZE"},
		"white space around":          {answers: []string{"250-mx\r\n250-  DSN \r\n250 SIZE  77 \r\n"}, extensions: "DSN SIZE", size: 77},
		"AUTH in both forms":          {answers: []string{"250-mx\r\n250-AUTH=LOGIN\r\n250 AUTH PLAIN\r\n"}, extensions: "AUTH"},
		"only its name":               {answers: []string{"250 PIPELINING\r\n"}},
		"100 lines":                   {answers: []string{"250-mx\r\n" + strings.Repeat("250-X\r\n", 98) + "250 DSN\r\n"}, extensions: "DSN X"},
		"EHLO refused, then HELO":     {answers: []string{"502 5.5.1 what\r\n", "250 mx\r\n"}},
		"HELO offers nothing":         {answers: []string{"500 what\r\n", "250-mx\r\n250 PIPELINING\r\n"}},
		"a bare CR is no end of line": {answers: []string{"250-mx\r250-DSN\r\n250 SIZE 5\r\n"}, extensions: "SIZE", size: 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			relay, _ := answering(t, c.pieces, "220 mx\r\n", c.answers...)
			conn := dial(t, relay)
			offer := conn.Offer()
			if got := strings.Join(offer.Extensions, " "); got != c.extensions || offer.MaxSize != c.size || offer.TLS != nil {
				t.Errorf("it offers %q with a size of %d, want %q and %d", got, offer.MaxSize, c.extensions, c.size)
			}
		})
	}
}

// TestServersThatDoNotGreetAreRefused: the error has the step and the reply, and Temporary whether another
// try may succeed.
func TestServersThatDoNotGreetAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		greeting  string
		answers   []string
		code      int
		temporary bool
		text      string
	}{
		"another protocol":          {greeting: "SSH-2.0-OpenSSH_9.2\r\n", text: `"SSH-2.0-OpenSSH_9.2" is not an SMTP reply`},
		"a web server":              {greeting: "HTTP/1.1 400 Bad Request\r\n", text: "is not an SMTP reply"},
		"a banner without an end":   {greeting: strings.Repeat("220-welcome\r\n", 101), text: "a reply of more than 100 lines"},
		"a banner line of 5,000":    {greeting: "220 " + strings.Repeat("x", 5000) + "\r\n", text: "longer than 4096 octets"},
		"a banner with 250":         {greeting: "250 mx\r\n", code: 250, temporary: true, text: "250 mx"},
		"two codes in the banner":   {greeting: "220-mx\r\n421 mx\r\n", text: "is not an SMTP reply"},
		"EHLO deferred":             {greeting: "220 mx\r\n", answers: []string{"421 4.7.0 too many connections\r\n"}, code: 421, temporary: true, text: "421 4.7.0 too many connections"},
		"EHLO and HELO refused":     {greeting: "220 mx\r\n", answers: []string{"550 5.7.1 no\r\n", "550 5.7.1 go away\r\n"}, code: 550, temporary: true, text: "550 5.7.1 go away"},
		"EHLO refused, then a cut":  {greeting: "220 mx\r\n", answers: []string{"500 no\r\n", "cut"}, temporary: true, text: "EOF"},
		"220 to EHLO":               {greeting: "220 mx\r\n", answers: []string{"220 mx\r\n"}, code: 220, temporary: true, text: "220 mx"},
		"EHLO with 101 lines":       {greeting: "220 mx\r\n", answers: []string{strings.Repeat("250-X\r\n", 101)}, text: "a reply of more than 100 lines"},
		"a code that is no number":  {greeting: "220 mx\r\n", answers: []string{"2x0 mx\r\n"}, text: "is not an SMTP reply"},
		"a reply with a third sign": {greeting: "220 mx\r\n", answers: []string{"250_mx\r\n"}, text: "is not an SMTP reply"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			relay, _ := answering(t, false, c.greeting, c.answers...)
			relay.Name = "main"
			conn, err := mailer.Dial(t.Context(), relay)
			var failed *mailer.DialError
			if conn != nil || !errors.As(err, &failed) || !errors.Is(err, mailer.ErrGreeting) || failed.Reply.Code != c.code || failed.Temporary() != c.temporary {
				t.Fatalf("%v, want code %d, temporary %v", err, c.code, c.temporary)
			}
			if text := err.Error(); !strings.HasPrefix(text, "relay main: the server refused the connection: ") || !strings.Contains(text, c.text) {
				t.Errorf("%q, want the relay, the step and %q", text, c.text)
			}
		})
	}
}

// proofOfNothing is the signature of a server (RFC 5802, section 3) over no messages, with no password.
func proofOfNothing() string {
	sign := func(key []byte, text string) []byte {
		mac := hmac.New(sha1.New, key)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	return base64.StdEncoding.EncodeToString(sign(sign(nil, "Server Key"), ""))
}

// TestSignInDialogues has servers that ask, accept and refuse in their own ways (RFC 4954, section 4). What
// the client sends is compared to the letter: a password must go out only in answer to a challenge.
func TestSignInDialogues(t *testing.T) {
	t.Parallel()
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	plain, token := "AUTH PLAIN "+encode("\x00ada\x00hunter2"), "AUTH XOAUTH2 "+encode("user=ada\x01auth=Bearer hunter2\x01\x01")
	const user, password = "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n"
	for name, c := range map[string]struct {
		offered   string
		auth      mailer.Mechanism
		answers   []string
		sent      []string // after EHLO
		code      int      // of the refusal
		temporary bool
		problem   string
	}{
		"PLAIN":                             {offered: "PLAIN", answers: []string{"235 2.7.0 ok\r\n"}, sent: []string{plain}},
		"accepted in lines":                 {offered: "PLAIN", answers: []string{"235-2.7.0 hello\r\n235 2.7.0 ada\r\n"}, sent: []string{plain}},
		"LOGIN":                             {offered: "LOGIN", answers: []string{user, password, "235 ok\r\n"}, sent: []string{"AUTH LOGIN", encode("ada"), encode("hunter2")}},
		"LOGIN with other questions":        {offered: "LOGIN", answers: []string{"334 \r\n", "334\r\n", "235 ok\r\n"}, sent: []string{"AUTH LOGIN", encode("ada"), encode("hunter2")}},
		"LOGIN, the name refused":           {offered: "LOGIN", answers: []string{user, "535 5.7.8 no\r\n"}, sent: []string{"AUTH LOGIN", encode("ada")}, code: 535, problem: "535 5.7.8 no"},
		"LOGIN with a third question":       {offered: "LOGIN", answers: []string{user, password, user}, sent: []string{"AUTH LOGIN", encode("ada"), encode("hunter2")}, problem: "unexpected server response"},
		"PLAIN with a question":             {offered: "PLAIN", answers: []string{"334 \r\n"}, sent: []string{plain}, problem: "unexpected server challenge"},
		"a challenge that is no base64":     {offered: "LOGIN", answers: []string{"334 Username:\r\n"}, sent: []string{"AUTH LOGIN"}, problem: `challenge "Username:" is not in base64`},
		"a token that has expired":          {offered: "XOAUTH2", auth: mailer.AuthXOAuth2, answers: []string{"334 " + encode(`{"status":"401"}`) + "\r\n", "535 5.7.8 bad token\r\n"}, sent: []string{token, ""}, code: 535, problem: "535 5.7.8 bad token"},
		"challenges without an end":         {offered: "XOAUTH2", auth: mailer.AuthXOAuth2, answers: slices.Repeat([]string{"334 \r\n"}, 20), sent: append([]string{token}, make([]string, 9)...), problem: "more than 10 challenges"},
		"a token is no password":            {offered: "XOAUTH2", problem: "offers AUTH XOAUTH2, not auto"},
		"another mechanism by name":         {offered: "LOGIN", auth: mailer.AuthPlain, problem: "offers AUTH LOGIN, not plain"},
		"channel binding without TLS":       {offered: "SCRAM-SHA-256-PLUS", problem: "offers AUTH SCRAM-SHA-256-PLUS, not auto"},
		"no AUTH":                           {problem: "does not offer AUTH; remove the user name"},
		"temporary":                         {offered: "PLAIN", answers: []string{"454 4.7.0 try later\r\n"}, sent: []string{plain}, code: 454, temporary: true, problem: "454 4.7.0 try later"},
		"closing":                           {offered: "PLAIN", answers: []string{"421 4.3.2 bye\r\n"}, sent: []string{plain}, code: 421, temporary: true, problem: "421 4.3.2 bye"},
		"a cut":                             {offered: "PLAIN", answers: []string{"cut"}, sent: []string{plain}, temporary: true, problem: "EOF"},
		"250 is no acceptance":              {offered: "PLAIN", answers: []string{"250 ok\r\n"}, sent: []string{plain}, code: 250, problem: "250 ok"},
		"SCRAM with the nonce of another":   {offered: "SCRAM-SHA-256", answers: []string{"334 " + encode("r=other,s=QSXCR+Q6sek8bf92,i=4096") + "\r\n"}, problem: "nonce does not start with our nonce"},
		"SCRAM that takes an hour":          {offered: "SCRAM-SHA-256", answers: []string{"334 " + encode("r=other,s=QSXCR+Q6sek8bf92,i=2000000000") + "\r\n"}, problem: `asks for "2000000000" iterations`},
		"SCRAM with iterations of text":     {offered: "SCRAM-SHA-1", answers: []string{"334 " + encode("r=other,s=QSXCR+Q6sek8bf92,i=many") + "\r\n"}, problem: `asks for "many" iterations`},
		"SCRAM accepted without a proof":    {offered: "SCRAM-SHA-256", answers: []string{"235 2.7.0 ok\r\n"}, problem: "without a proof that it knows the password"},
		"SCRAM with a false proof":          {offered: "SCRAM-SHA-1", answers: []string{"334 " + encode("v="+proofOfNothing()) + "\r\n", "235 ok\r\n"}, problem: "proof before its challenge"},
		"SCRAM accepted with a false proof": {offered: "SCRAM-SHA-1", answers: []string{"235 2.7.0 " + encode("v="+proofOfNothing()) + "\r\n"}, problem: "without a proof"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ehlo := "250 mx\r\n"
			if c.offered != "" {
				ehlo = "250-mx\r\n250 AUTH " + c.offered + "\r\n"
			}
			relay, received := answering(t, false, "220 mx\r\n", append([]string{ehlo}, c.answers...)...)
			relay.Username, relay.Password, relay.Auth = "ada", "hunter2", c.auth
			conn, err := mailer.Dial(t.Context(), relay)
			if conn != nil {
				_ = conn.Close()
			}
			sent := <-received
			if c.sent != nil && fmt.Sprintf("%q", sent[1:]) != fmt.Sprintf("%q", c.sent) {
				t.Errorf("it sent %q, want %q", sent[1:], c.sent)
			}
			if c.problem == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var failed *mailer.DialError
			if !errors.As(err, &failed) || !errors.Is(err, mailer.ErrAuth) || failed.Reply.Code != c.code || failed.Temporary() != c.temporary || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(c.problem)) {
				t.Errorf("%v (temporary %v), want %q with code %d, temporary %v", err, failed.Temporary(), c.problem, c.code, c.temporary)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), encode("hunter2")) {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

// TestHeloNameCannotAddCommands: the name of EHLO comes from the configuration.
func TestHeloNameCannotAddCommands(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a b", "a\r\nMAIL FROM:<x@y>", "a\x00", "\t", "a\x7f"} {
		relay, received := answering(t, false, "220 mx\r\n", "250 mx\r\n")
		relay.Helo = name
		if _, err := mailer.Dial(t.Context(), relay); !errors.Is(err, mailer.ErrGreeting) || !strings.Contains(err.Error(), "space or control character") {
			t.Errorf("%q: %v", name, err)
		}
		if lines := <-received; len(lines) != 0 {
			t.Errorf("%q: it sent %q", name, lines)
		}
	}
}

// TestHalfAReplyBeforeTheBodyDoesNotBlock: a server sends a part of a reply after 354 and stops. The mail
// was not sent, and the end of the context ends the wait.
func TestHalfAReplyBeforeTheBodyDoesNotBlock(t *testing.T) {
	t.Parallel()
	relay, _ := answering(t, false, "220 mx\r\n", "250 mx\r\n", "250 ok\r\n", "250 ok\r\n", "354 go on\r\n421 4.3")
	relay.Timeouts = mailer.Timeouts{}
	conn := dial(t, relay)
	if err := conn.SendEnvelope(t.Context(), envelopeTo(1)); err != nil {
		t.Fatal(err)
	}
	if reply, err := conn.AwaitReady(t.Context()); err != nil || reply.Code != 354 {
		t.Fatal(reply, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := conn.Deliver(ctx, []byte(body), nil)
	var broken *mailer.BrokenError
	if !errors.As(err, &broken) || broken.Stage == mailer.StageFinal || !errors.Is(err, context.Canceled) || conn.Usable() {
		t.Errorf("%v, usable %v; want the cause of the context, before the body", err, conn.Usable())
	}
}

// TestRepliesInPiecesAreReadWhole: each octet of the replies comes by itself, in a dialogue of two mails.
func TestRepliesInPiecesAreReadWhole(t *testing.T) {
	t.Parallel()
	relay, received := answering(t, true, "220-mx\r\n220 mx\r\n", "250-mx\r\n250 DSN\r\n", "250 2.1.0 ok\r\n", "550-5.1.1 no\r\n550 5.1.1 such user\r\n", "250 2.0.0 reset\r\n",
		"250 2.1.0 ok\r\n", "250 2.1.5 ok\r\n", "354 go on\r\n", "", "", "", "250 2.0.0 queued\r\n")
	conn := dial(t, relay)
	got := send(t.Context(), conn, envelopesTo(2))
	want := []outcome{{mailer.Suppress, mailer.StageRcpt, 550}, {mailer.Accepted, mailer.StageFinal, 250}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	_ = conn.Close()
	lines := <-received
	if want := "RSET"; len(lines) < 5 || lines[3] != want || lines[len(lines)-1] != "." {
		t.Errorf("the client sent %q", lines)
	}
}
