package main

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"

	"github.com/emersion/go-message/mail"
	"github.com/mmcdole/gofeed"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tidings-press/tidings/internal/inbox"
)

// fetch waits until a page of the running service contains a text: fetch PATH TEXT
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
		ts.Fatalf("%s never contained %q:\n%.2000s", args[0], args[1], body)
	}
}

// waitForEnd waits until a process has ended: gone FILE
func waitForEnd(ts *testscript.TestScript, _ bool, args []string) {
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	if !waitUntil(func() bool { return syscall.Kill(pid, 0) != nil }) {
		ts.Fatalf("process %d has not ended", pid)
	}
}

// eachOnce parses every mail and checks that each of COUNT subscribers has one of the digest's
// mails with its own one-click link, and that both parts of each mail contain a text: eachonce
// COUNT TEXT
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
		header := readMail(ts, m.Source, args[1])
		readers[m.To[0]]++
		links[header.Get("List-Unsubscribe")] = true
		ids[header.Get("Message-Id")] = true
		if to, err := header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != m.To[0] {
			ts.Fatalf("the mail to %s has the header To: %v %v", m.To[0], to, err)
		}
		if header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
			ts.Fatalf("no one-click header in the mail to %s", m.To[0])
		}
	}
	if len(readers) != want || len(links) != want || len(ids) != want {
		ts.Fatalf("%d recipients, %d links, %d message ids; want %d of each", len(readers), len(links), len(ids), want)
	}
	for reader, count := range readers {
		if count != 1 {
			ts.Fatalf("%s has %d mails", reader, count)
		}
	}
}

// readMail parses a mail: headers, text part and HTML part.
func readMail(ts *testscript.TestScript, source []byte, text string) mail.Header {
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
		if !bytes.Contains(body, []byte(text)) {
			ts.Fatalf("the %s part has no %q:\n%.3000s", kind, text, body)
		}
	}
	if kinds != "text/plain text/html " {
		ts.Fatalf("the parts are %q", kinds)
	}
	return r.Header
}

// parseFeeds parses feeds with two independent parsers, and checks that each has COUNT entries:
// parsefeeds COUNT FILE...
func parseFeeds(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args[1:] {
		feed, err := gofeed.NewParser().ParseString(ts.ReadFile(file))
		ts.Check(err)
		if got := strconv.Itoa(len(feed.Items)); got != args[0] {
			ts.Fatalf("%s has %s entries, want %s", file, got, args[0])
		}
		if strings.HasSuffix(file, ".json") {
			continue // feedparser reads XML
		}
		ts.Check(ts.Exec("/usr/bin/python3", "-c", "import feedparser, sys; f = feedparser.parse(sys.argv[1]); print(len(f.entries), f.bozo)", ts.MkAbs(file)))
		if got := strings.TrimSpace(ts.ReadFile("stdout")); got != args[0]+" False" && got != args[0]+" 0" {
			ts.Fatalf("%s: feedparser returns %s, want %s entries and no bozo", file, got, args[0])
		}
	}
}
