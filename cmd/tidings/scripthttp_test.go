package main

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"

	"github.com/emersion/go-message/mail"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tidings-press/tidings/inbox"
)

// fetch waits until a page of the running service has a text: fetch PATH TEXT
func fetch(ts *testscript.TestScript, _ bool, args []string) {
	var body []byte
	found := waitUntil(func() bool {
		resp, err := http.Get("http://127.0.0.1:" + ts.Getenv("PORT") + args[0])
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		body, _ = io.ReadAll(io.LimitReader(resp.Body, 10<<20))
		return resp.StatusCode == http.StatusOK && bytes.Contains(body, []byte(args[1]))
	})
	if !found {
		ts.Fatalf("%s never had %q:\n%.2000s", args[0], args[1], body)
	}
}

// waitForEnd waits until a process has ended: gone FILE
func waitForEnd(ts *testscript.TestScript, _ bool, args []string) {
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	if !waitUntil(func() bool { return syscall.Kill(pid, 0) != nil }) {
		ts.Fatalf("process %d goes on", pid)
	}
}

// eachOnce reads every mail back and checks that each of so many readers has one of the digest's mails
// and its own one-click link: eachonce COUNT
func eachOnce(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	readers, links, ids := map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, m := range ts.Value(inboxKey{}).(*inbox.Inbox).Messages() {
		if len(m.To) != 1 {
			ts.Fatalf("a mail went to %v", m.To)
		}
		if !strings.HasPrefix(m.To[0], "reader") {
			continue
		}
		header := readMail(ts, m.Source)
		readers[m.To[0]]++
		links[header.Get("List-Unsubscribe")] = true
		ids[header.Get("Message-Id")] = true
		if to, err := header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != m.To[0] {
			ts.Fatalf("the mail to %s says To: %v %v", m.To[0], to, err)
		}
		if header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
			ts.Fatalf("no one-click header in the mail to %s", m.To[0])
		}
	}
	if len(readers) != want || len(links) != want || len(ids) != want {
		ts.Fatalf("%d readers, %d links, %d message ids; want %d of each", len(readers), len(links), len(ids), want)
	}
	for reader, count := range readers {
		if count != 1 {
			ts.Fatalf("%s has %d mails", reader, count)
		}
	}
}

// readMail reads a mail whole: headers, the text and the HTML part.
func readMail(ts *testscript.TestScript, source []byte) mail.Header {
	r, err := mail.CreateReader(bytes.NewReader(source))
	ts.Check(err)
	kinds := ""
	for {
		part, err := r.NextPart()
		if err == io.EOF {
			break
		}
		ts.Check(err)
		body, err := io.ReadAll(part.Body)
		ts.Check(err)
		kind, _, err := part.Header.(*mail.InlineHeader).ContentType()
		ts.Check(err)
		kinds += kind + " "
		if !bytes.Contains(body, []byte("A new bridge")) {
			ts.Fatalf("the %s part does not name the article:\n%s", kind, body)
		}
	}
	if kinds != "text/plain text/html " {
		ts.Fatalf("the parts are %q", kinds)
	}
	return r.Header
}
