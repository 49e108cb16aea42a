package delivery

import (
	"fmt"
	"testing"
	"time"
)

func TestADomainsRestsGrowAndAreForgottenWhenItTakesMail(t *testing.T) {
	t.Parallel()
	var d domains
	over := func() { d.known["a.example"].until = time.Now().Add(-time.Millisecond) }
	for i, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute} {
		got := d.throttled("a.example")
		if got < want*9/10 || got > want*11/10 {
			t.Errorf("rest %d is %v, want about %v", i+1, got, want)
		}
		if d.throttled("a.example") != 0 || d.blamed("a.example") != 0 {
			t.Error("what was under way makes a rest longer")
		}
		d.took("a.example") // an answer from before the rest
		if d.restOf("a.example").IsZero() || !d.restOf("b.example").IsZero() {
			t.Error("the rest is over, or everybody's")
		}
		over()
	}
	if !d.restOf("a.example").IsZero() {
		t.Error("a rest that is over goes on")
	}
	d.took("a.example")
	if got := d.throttled("a.example"); got > 40*time.Second {
		t.Errorf("after a mail was taken the rest is %v", got)
	}
}

func TestOnlyARowOfRefusalsMakesADomainRest(t *testing.T) {
	t.Parallel()
	var d domains
	for range 2 * faultsOfDomain {
		if d.blamed("a.example") != 0 {
			t.Fatal("refusals with mails between them make it rest")
		}
		d.took("a.example")
	}
	for n := 1; n <= faultsOfDomain; n++ {
		if rests := d.blamed("a.example") == faultWait; rests != (n == faultsOfDomain) {
			t.Errorf("after %d refusals: rests %v", n, rests)
		}
	}
}

func TestWhatIsKnownOfDomainsIsBounded(t *testing.T) {
	t.Parallel()
	var d domains
	for i := range 3 * mostDomains {
		if i == mostDomains { // these have rested
			for _, known := range d.known {
				known.until = time.Now().Add(-time.Millisecond)
			}
		}
		name := fmt.Sprint(i, ".example")
		if d.throttled(name); d.restOf(name).IsZero() {
			t.Fatalf("%s does not rest", name)
		}
	}
	if len(d.known) != mostDomains {
		t.Errorf("%d are known", len(d.known))
	}
}

func TestARatePerSecondIsKeptAsItIsWritten(t *testing.T) {
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
