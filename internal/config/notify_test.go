package config

import (
	"strings"
	"testing"
)

const notifyFile = `
site: {url: "https://press.example"}
digests:
  - {name: weekly, schedule: "@weekly", sender: news@press.example, notify: %s}
`

func TestNotifyIsAScalarOrAMap(t *testing.T) {
	t.Parallel()
	on := func(p *bool) string {
		switch {
		case p == nil:
			return "default"
		case *p:
			return "on"
		}
		return "off"
	}
	for text, want := range map[string]string{
		"owners":                              "owners default default",
		"none":                                "none default default",
		"~":                                   "editors default default",
		"{to: owners, sent: true}":            "owners on default",
		"{sent: false, relay: false}":         "editors off off",
		"{to: editors, complaints: false}":    "editors default default",
		`"editors"`:                           "editors default default",
		"{held: true, to: none, relay: true}": "none default on",
	} {
		c, err := Parse([]byte(strings.Replace(notifyFile, "%s", text, 1)), "c.yaml")
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		n := c.Digests[0].Notify
		if got := n.To + " " + on(n.Sent) + " " + on(n.Relay); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"everyone":        "editors, owners",
		"{to: everyone}":  "editors, owners",
		"{sent: perhaps}": "neither true nor false",
		"{snet: true}":    "did you mean sent?",
		"[editors]":       "write keys below it",
	} {
		if got := strings.Join(problemsOf(t, strings.Replace(notifyFile, "%s", text, 1)), "\n"); !strings.Contains(got, want) || !strings.Contains(got, ":4") {
			t.Errorf("%s: %s", text, got)
		}
	}
}
