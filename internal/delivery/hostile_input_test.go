package delivery_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit/sink"
)

// TestHostileRepliesAreRecorded has a server that replies with bytes that neither a page nor a
// PostgreSQL text can hold, at each stage to one recipient. All other subscribers must still get
// their mail and their outcome.
func TestHostileRepliesAreRecorded(t *testing.T) {
	t.Parallel()
	badBytes := "no\x00body \xff\xfe\xed\xa0\x80 \x1b[2J\u0085 " + strings.Repeat("満", 900)
	wire := sink.Options{Faults: []sink.Fault{
		{At: sink.AtRcpt, Match: "reader1@", Reply: "550 5.1.1 " + badBytes},
		{At: sink.AtRcpt, Match: "reader2@", Reply: "552 5.2.2 " + badBytes},
		{At: sink.AfterDot, Match: "reader3@", Reply: "550 5.1.1 " + badBytes},
		{At: sink.AtBanner, Reply: "421 4.3.2 " + badBytes, Times: 1},
		{At: sink.AtHello, Reply: "421 4.3.2 " + badBytes, Times: 1},
		{At: sink.AtMail, Reply: "421 4.3.2 " + badBytes, Times: 1},
	}}
	each(t, wire, nil, func(b *env) {
		b.addSubscribers(20)
		b.addArticle("ferries")
		b.start()
		e := b.send()
		if p := b.sent(e.ID); p.Counts != (store.DeliveryCounts{Total: 20, Sent: 17, Refused: 3}) {
			b.t.Errorf("counts %+v", p.Counts)
		}
		b.wantOneMailEach(17)
		kept, err := b.store.Edition(b.t.Context(), e.ID)
		if err != nil {
			b.t.Fatal(err)
		}
		refused, err := b.store.Deliveries(b.t.Context(), kept, []digest.DeliveryState{digest.DeliveryRefused}, 0, 10)
		if err != nil || len(refused) != 3 {
			b.t.Fatalf("%+v, %v", refused, err)
		}
		for _, d := range refused {
			if !utf8.ValidString(d.Reply) || strings.ContainsFunc(d.Reply, unicode.IsControl) || !strings.Contains(d.Reply, "body") || utf8.RuneCountInString(d.Reply) > 500 {
				b.t.Errorf("%s: reply %q", d.Address, d.Reply)
			}
		}
	})
}
