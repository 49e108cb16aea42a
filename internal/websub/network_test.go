package websub

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/connlimit"
)

func TestVerificationsOfNetworkAreBounded(t *testing.T) {
	t.Parallel()
	var counts networkCounts
	now := time.Unix(1_000_000, 0)
	allowed := func(format string, n int, at time.Time) (allowed int) {
		for i := range n {
			if counts.allow(connlimit.Network24or48(netip.MustParseAddr(fmt.Sprintf(format, i))), at) {
				allowed++
			}
		}
		return allowed
	}
	if got := allowed("192.0.2.%d", 200, now); got != maxVerified {
		t.Errorf("%d connections to one network in a minute, want %d", got, maxVerified)
	}
	if got := allowed("2001:db8:1:%d::1", 200, now); got != maxVerified {
		t.Errorf("%d connections to one /48 in a minute, want %d", got, maxVerified)
	}
	if got := allowed("192.0.3.%d", 1, now); got != 1 {
		t.Error("another network has to wait")
	}
	if got := allowed("192.0.2.%d", 10, now.Add(time.Minute)); got != 10 {
		t.Errorf("a minute later %d of 10 are allowed", got)
	}
}

func TestCallbacksAreCountedByDomainOrNetwork(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"a.b.victim.co.uk": "victim.co.uk", "Victim.co.uk.": "victim.co.uk", "x.example.org": "example.org", "localhost": "localhost",
		"192.0.2.77": "192.0.2.0/24", "2001:db8:7::1": "2001:db8:7::/48",
	} {
		if got := ownerOf(host); got != want {
			t.Errorf("%s is counted as %s, want %s", host, got, want)
		}
	}
}
