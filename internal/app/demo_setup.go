package app

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
)

// The demo's digests.
const (
	demoDaily  = "daily"
	demoWeekly = "weekly"
)

// demoConfig is a configuration whose daily digest is due in a minute.
func demoConfig(dir string, listeners *demoListeners, now time.Time) *config.Config {
	due := now.Add(time.Minute).UTC()
	c := config.Default()
	c.Site = config.Site{
		Title:       "The Harbour Gazette",
		Description: "News from a small harbour town, in five languages.",
		URL:         listeners.siteURL(),
		Language:    "en",
		Timezone:    "UTC",
		Copyright:   "© The Harbour Gazette",
		Editor:      "The Editors <editors@harbour-gazette.example>",
	}
	c.Store.DSN = config.DSN("sqlite:" + filepath.Join(dir, "tidings.db"))
	c.Store.Journal = "none"
	c.Server.Listen = listeners.site.Addr().String()
	c.Feeds = []config.Feed{
		{Name: "all", Limit: 50, Content: "full", MaxAge: time.Minute},
		{Name: "english", Title: "The Gazette in English", Filter: config.Filter{Languages: []string{"en"}}, Limit: 50, Content: "full", MaxAge: time.Minute},
		{Name: "francais", Title: "La Gazette en français", Language: "fr", Filter: config.Filter{Languages: []string{"fr"}}, Limit: 50, Content: "summary", MaxAge: time.Minute},
	}
	c.Digests = []config.Digest{
		demoDigest(demoDaily, "The Gazette, every day", fmt.Sprintf("%d %d %d * * *", due.Second(), due.Minute(), due.Hour()), "brief"),
		demoDigest(demoWeekly, "The week at the harbour", "0 8 * * 5", "digest"),
	}
	c.Delivery.FirstSendCheck = false // no mail leaves the machine
	c.Mail.Postal = "The Harbour Gazette, 1 Quay Street, Example Harbour"
	c.Relays = []config.Relay{{Name: "inbox", Host: "127.0.0.1", Port: portOf(listeners.smtp), Protocol: "smtp", TLS: "none", Auth: "none", Weight: 1}}
	return c
}

func demoDigest(name, title, spec, template string) config.Digest {
	return config.Digest{
		Name:        name,
		Title:       config.Text(title),
		Description: "What is new at the harbour.",
		Schedule:    spec,
		Timezone:    "UTC",
		Missed:      "latest",
		MinArticles: 1,
		MaxArticles: 20,
		Template:    template,
		Subject:     "{{.Digest.Title}}: {{.First.Title}}",
		Sender:      "The Harbour Gazette <news@harbour-gazette.example>",
		ReplyTo:     "The Harbour Gazette <news@harbour-gazette.example>",
		Approval:    "automatic",
		Prefer:      "newest",
		Notify:      config.Notify{To: "none"},
	}
}

// demoSubscribers prefer different languages and topics.
var demoSubscribers = []subscription.NewSubscriber{
	{Address: subscriber.MustParseAddress("ada@reader.example"), Name: "Ada Brook", Language: "en"},
	{Address: subscriber.MustParseAddress("elodie@lecteur.example"), Name: "Élodie Martin", Language: "fr"},
	{Address: subscriber.MustParseAddress("amina@qari.example"), Name: "أمينة حداد", Language: "ar"},
	{Address: subscriber.MustParseAddress("yuki@dokusha.example"), Name: "田中 由紀", Language: "ja"},
	{Address: subscriber.MustParseAddress("jonas@bücherfreund.example"), Name: "Jonas Weiß", Language: "de"},
	{Address: subscriber.MustParseAddress("grace@reader.example"), Name: "Grace Mill"},
	{Address: subscriber.MustParseAddress("sam@reader.example"), Language: "en", Topics: []string{"harbour"}},
}

func addDemoSubscribers(ctx context.Context, p *Service) error {
	for _, reader := range demoSubscribers {
		reader.Consent = "lives in the demo"
		if _, err := p.Subscribers().Add(ctx, reader); err != nil {
			return fmt.Errorf("demo subscriber %s: %w", reader.Address, err)
		}
	}
	return nil
}
