package app

import (
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/health"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// monitor returns the health monitor of a node that runs an engine.
func (p *Service) monitor(engine *delivery.Engine) *health.Monitor {
	o := health.Options{
		Store: p.Store, Engine: engine, Node: engine.Node,
		DiskFree: int64(p.Config.Health.DiskFree), Alerts: p.Config.Health.Alerts, Every: p.Config.Health.AlertEvery,
		Site: p.Config.Site.URL, Title: p.Config.Site.Title, Log: p.Log,
	}
	for _, d := range engine.Digests {
		if d.Schedule != nil {
			o.Digests = append(o.Digests, d.Name)
		}
	}
	if _, address, err := subscriber.ParseMailbox(p.Config.Site.Webmaster); err == nil {
		o.Fallback = []string{address.String()}
	}
	return health.New(o)
}
