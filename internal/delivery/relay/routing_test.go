package relay

import (
	"fmt"
	"testing"
	"time"
)

func TestRoutingForgetsEarlierSpan(t *testing.T) {
	t.Parallel()
	var s mailCounter
	now := time.Now().Truncate(routingSpan)
	for range 100 {
		s.add(now)
	}
	if n := s.count(now); n != 100 {
		t.Errorf("%d mails in this span", n)
	}
	if n := s.count(now.Add(routingSpan)); n != 0 {
		t.Errorf("%d mails in the next span", n)
	}
}

// TestMailsAreRoutedBesideOtherRelays has two or three relays in some state, and whether the first takes a
// mail.
func TestMailsAreRoutedBesideOtherRelays(t *testing.T) {
	t.Parallel()
	s, _ := openStore(t)
	mail := Mail{Address: "ada@a.example"}
	hour := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		weights []int
		change  func(all []*Relay)
		mail    Mail
		want    bool
		standby bool // of the first
	}{
		"alone, although it refused it":    {weights: []int{1}, mail: Mail{Address: "a@b", RefusedBy: "r0"}, want: true},
		"beside another":                   {weights: []int{1, 1}, mail: mail, want: true},
		"it refused it":                    {weights: []int{1, 1}, mail: Mail{Address: "a@b", RefusedBy: "r0"}},
		"it refused it, the other is down": {weights: []int{1, 1}, mail: Mail{Address: "a@b", RefusedBy: "r0"}, change: func(all []*Relay) { all[1].failing = true }, want: true},
		"it throttles the domain":          {weights: []int{1, 1}, mail: mail, change: func(all []*Relay) { all[0].throttle.applyRemote("a.example", hour) }},
		"it throttles another domain":      {weights: []int{1, 1}, mail: mail, change: func(all []*Relay) { all[0].throttle.applyRemote("b.example", hour) }, want: true},
		"both throttle the domain": {weights: []int{1, 1}, mail: mail, change: func(all []*Relay) {
			all[0].throttle.applyRemote("a.example", hour)
			all[1].throttle.applyRemote("a.example", hour)
		}, want: true},
		"too large":                             {weights: []int{1, 1}, mail: Mail{Address: "a@b", Size: 101}, change: func(all []*Relay) { all[0].MaxSize = 100 }},
		"as large as it takes":                  {weights: []int{1, 1}, mail: Mail{Address: "a@b", Size: 100}, change: func(all []*Relay) { all[0].MaxSize = 100 }, want: true},
		"too large for the other":               {weights: []int{1, 1}, mail: Mail{Address: "a@b", Size: 101, RefusedBy: "r0"}, change: func(all []*Relay) { all[1].MaxSize = 100 }, want: true},
		"ahead of its share":                    {weights: []int{1, 1}, mail: mail, change: func(all []*Relay) { sent(all[0], 20); sent(all[1], 5) }},
		"ahead within the slack":                {weights: []int{1, 1}, mail: mail, change: func(all []*Relay) { sent(all[0], 8) }, want: true},
		"within a larger share":                 {weights: []int{9, 1}, mail: mail, change: func(all []*Relay) { sent(all[0], 90); sent(all[1], 5) }, want: true},
		"ahead, the other's quota is used up":   {weights: []int{1, 1}, mail: mail, change: func(all []*Relay) { sent(all[0], 90); all[1].QuotaFullFor(time.Hour) }, want: true},
		"ahead, the other is stopped":           {weights: []int{1, 1}, mail: mail, change: func(all []*Relay) { sent(all[0], 90); all[1].stoppedUntil = hour }, want: true},
		"on standby":                            {weights: []int{0, 1}, mail: mail, want: true, standby: true}, // it is not asked then
		"on standby, the other's quota is full": {weights: []int{0, 1}, mail: mail, change: func(all []*Relay) { all[1].QuotaFullFor(time.Hour) }, want: true, standby: true},
		"needed, the other is held":             {weights: []int{0, 1}, mail: mail, change: func(all []*Relay) { all[1].heldUntil = hour }, want: true},
		"two without weight":                    {weights: []int{0, 0}, mail: mail, want: true},
	} {
		var configs []Config
		for i, weight := range c.weights {
			one := config(fmt.Sprint("r", i))
			one.Weight = weight
			configs = append(configs, one)
		}
		for {
			span := time.Now().UnixNano() / int64(routingSpan)
			all := newSet(s, "one", configs...).relays
			if c.change != nil {
				c.change(all)
			}
			got, standby := all[0].Routes(c.mail), all[0].OnStandby()
			if time.Now().UnixNano()/int64(routingSpan) != span {
				continue // the counts of mails were of the span before
			}
			if got != c.want || standby != c.standby {
				t.Errorf("%s: takes it %v, on standby %v; want %v, %v", name, got, standby, c.want, c.standby)
			}
			break
		}
	}
}

// sent counts mails of a relay.
func sent(r *Relay, mails int64) {
	for range mails {
		r.recentMails.add(time.Now())
	}
}

func TestHeadersOfARelayHaveTheMessageID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{nil, "body"},
		{[]string{"X-PM-KeepID: true"}, "X-PM-KeepID: true\r\nbody"},
		{[]string{"X-A: {\"id\":\"{message_id}\"}", "X-B: {message_id}{message_id}"}, "X-A: {\"id\":\"m-1@x\"}\r\nX-B: m-1@xm-1@x\r\nbody"},
	} {
		r := &Relay{header: headerLines(c.lines)}
		if got := string(append(r.AppendHeader(nil, "m-1@x"), "body"...)); got != c.want {
			t.Errorf("%q gives %q, want %q", c.lines, got, c.want)
		}
	}
}

func TestDomainOfAnAddress(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{"Ada@Example.ORG": "example.org", `"a@b"@example.org`: "example.org", "ada": "ada", "": "", "a@": ""} {
		if got := DomainOf(address); got != want {
			t.Errorf("%q has the domain %q, want %q", address, got, want)
		}
	}
}
