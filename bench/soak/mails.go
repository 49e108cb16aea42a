package main

import (
	"bytes"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// faults are what the SMTP servers do wrong, by chance.
var faults = []sink.Fault{
	{At: sink.AtRcpt, Reply: "451 4.7.1 try again later", Chance: 0.01},
	{At: sink.AtRcpt, Reply: "552 5.2.2 the mailbox is full", Chance: 0.001},
	{At: sink.AtRcpt, Reply: "550 5.1.1 no such user", Chance: 0.0003},
	{At: sink.AtRcpt, Do: sink.Slow, Wait: 2 * time.Second, Chance: 0.0005},
	{At: sink.AtBanner, Reply: "421 4.3.2 not now", Chance: 0.02},
	{At: sink.AtBanner, Do: sink.Cut, Chance: 0.02},
	{At: sink.InBody, Do: sink.Cut, Chance: 0.0005},
	{At: sink.AfterDot, Do: sink.Cut, Accept: true, Chance: 0.0003},
	{At: sink.AfterDot, Do: sink.Cut, Chance: 0.0003},
	{At: sink.AfterDot, Reply: "451 4.3.0 queue file write error", Chance: 0.002},
	{At: sink.AfterReply, Do: sink.Cut, Chance: 0.001},
}

// mailServer is an SMTP server that can be stopped and started again at the same address.
type mailServer struct {
	address string
	keep    func(sink.Mail)
	server  *sink.Server // nil while it is stopped
}

func newMailServer(keep func(sink.Mail)) (*mailServer, error) {
	m := &mailServer{address: "127.0.0.1:0", keep: keep}
	err := m.start(faults)
	if err == nil {
		m.address = m.server.Addr().String()
	}
	return m, err
}

func (m *mailServer) start(faults []sink.Fault) error {
	l, err := net.Listen("tcp", m.address)
	if err == nil {
		m.server = sink.Start(l, sink.Options{Faults: faults, Keep: m.keep, Delay: time.Millisecond})
	}
	return err
}

func (m *mailServer) stop() {
	if m.server != nil {
		_ = m.server.Close()
		m.server = nil
	}
}

// received is what the SMTP servers have accepted.
type received struct {
	mu      sync.Mutex
	copies  map[string]map[string]int // by address and Message-ID
	total   int
	links   map[string]string    // address for one-click unsubscribe of the last mail, by recipient
	left    map[string]time.Time // when an unsubscription was answered, by recipient
	unknown map[string]bool      // recipients whose unsubscription was not answered
	wrong   []string
}

func newReceived() *received {
	return &received{copies: map[string]map[string]int{}, links: map[string]string{}, left: map[string]time.Time{}, unknown: map[string]bool{}}
}

var (
	messageID   = regexp.MustCompile(`(?mi)^Message-ID:\s*(<[^>]+>)`)
	unsubscribe = regexp.MustCompile(`(?mi)^List-Unsubscribe:\s*<(http[^>]+)>`)
)

// inFlight is how long after an unsubscription a mail may arrive that was already being sent.
const inFlight = 30 * time.Second

// withheldMark is in the title of every article that must not be published.
const withheldMark = "WITHHELD"

// keep records a mail that was accepted.
func (r *received) keep(m sink.Mail) {
	head, _, _ := bytes.Cut(m.Data, []byte("\r\n\r\n"))
	id, link := messageID.FindSubmatch(head), unsubscribe.FindSubmatch(head)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(m.To) != 1 || id == nil || link == nil {
		r.wrong = append(r.wrong, fmt.Sprintf("a mail to %v has no Message-ID or no List-Unsubscribe", m.To))
		return
	}
	to := m.To[0]
	if bytes.Contains(bytes.ReplaceAll(m.Data, []byte("=\r\n"), nil), []byte(withheldMark)) {
		r.wrong = append(r.wrong, "a mail to "+to+" has an article that is a draft")
	}
	if at, ok := r.left[to]; ok && time.Since(at) > inFlight {
		r.wrong = append(r.wrong, fmt.Sprintf("%s got a mail %s after unsubscribing", to, time.Since(at).Round(time.Second)))
	}
	if r.copies[to] == nil {
		r.copies[to] = map[string]int{}
	}
	r.total++
	r.copies[to][string(id[1])]++
	r.links[to] = strings.TrimSpace(string(link[1]))
}

// anyLink returns the address for one-click unsubscribe of some recipient who has not used it.
func (r *received) anyLink() (to, link string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for to, link := range r.links { // in random order
		if _, gone := r.left[to]; !gone && !r.unknown[to] {
			return to, link
		}
	}
	return "", ""
}

// unsubscribed records the answer to an unsubscription.
func (r *received) unsubscribed(to string, answered bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if answered {
		r.left[to] = time.Now()
	} else {
		r.unknown[to] = true
	}
}
