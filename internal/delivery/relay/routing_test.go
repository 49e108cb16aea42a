package relay

import (
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
