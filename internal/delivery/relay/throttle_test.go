package relay

import (
	"fmt"
	"testing"
	"time"
)

func TestThrottleOfDomainGrowsAndEndsWithAcceptedMail(t *testing.T) {
	t.Parallel()
	var d throttle
	over := func() { d.known["a.example"].until = time.Now().Add(-time.Millisecond) }
	for i, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute} {
		got := d.onThrottled("a.example")
		if got < want*9/10 || got > want*11/10 {
			t.Errorf("throttle %d is %v, want about %v", i+1, got, want)
		}
		if d.onThrottled("a.example") != 0 || d.onRefused("a.example") != 0 {
			t.Error("mail that was under way prolongs the throttle")
		}
		d.onAccepted("a.example") // the reply to a mail sent before the throttle
		if d.until("a.example").IsZero() || !d.until("b.example").IsZero() {
			t.Error("the throttle is over, or concerns other domains")
		}
		over()
	}
	if !d.until("a.example").IsZero() {
		t.Error("a throttle that is over goes on")
	}
	d.onAccepted("a.example")
	if got := d.onThrottled("a.example"); got > 40*time.Second {
		t.Errorf("after a mail was taken the throttle is %v", got)
	}
}

func TestOnlyConsecutiveRefusalsThrottleDomain(t *testing.T) {
	t.Parallel()
	var d throttle
	for range 2 * refusalsOfDomain {
		if d.onRefused("a.example") != 0 {
			t.Fatal("refusals with accepted mail between them throttle the domain")
		}
		d.onAccepted("a.example")
	}
	for n := 1; n <= refusalsOfDomain; n++ {
		if throttled := d.onRefused("a.example") == refusalWait; throttled != (n == refusalsOfDomain) {
			t.Errorf("after %d refusals: throttled %v", n, throttled)
		}
	}
}

func TestThrottledDomainsAreBounded(t *testing.T) {
	t.Parallel()
	var d throttle
	for i := range 3 * maxDomains {
		if i == maxDomains { // these are over
			for _, known := range d.known {
				known.until = time.Now().Add(-time.Millisecond)
			}
		}
		name := fmt.Sprint(i, ".example")
		if d.onThrottled(name); d.until(name).IsZero() {
			t.Fatalf("%s is not throttled", name)
		}
	}
	if len(d.known) != maxDomains {
		t.Errorf("%d are known", len(d.known))
	}
}

func TestRatePerSecondIsKeptExactly(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]struct {
		span  time.Duration
		limit int64
	}{
		1: {time.Second, 1}, 100: {time.Second, 100}, 1.5: {2 * time.Second, 3}, 2.25: {4 * time.Second, 9}, 0.5: {2 * time.Second, 1},
		0.1: {10 * time.Second, 1}, 14.3: {10 * time.Second, 143}, 3.14159: {7 * time.Second, 22},
	} {
		if span, limit := perSecond(rate); span != want.span || limit != want.limit {
			t.Errorf("%v a second: %d in %v, want %d in %v", rate, limit, span, want.limit, want.span)
		}
	}
	for rate := 1.01; rate < 50; rate += 0.37 {
		span, limit := perSecond(rate)
		if got := float64(limit) / span.Seconds(); got > rate*1.0011 || got < rate*0.9 {
			t.Errorf("%v a second becomes %v", rate, got)
		}
	}
}
