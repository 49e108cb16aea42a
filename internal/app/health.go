package app

import (
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/health"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// monitor returns the health monitor of a node that runs an engine.
func (s *Service) monitor(engine *delivery.Engine) *health.Monitor {
	o := health.Options{
		Store: s.Store, Engine: engine, Node: engine.Node,
		DiskFree: int64(s.Config.Health.DiskFree), Stuck: s.Config.Health.StuckAfter, Alerts: s.Config.Health.Alerts, Every: s.Config.Health.AlertEvery,
		Site: s.Config.Site.URL, Title: s.Config.Site.Title.String(), Log: s.Log,
	}
	for _, d := range engine.Digests {
		if d.Schedule != nil {
			o.Digests = append(o.Digests, d.Name)
		}
	}
	if s.Config.Server.TLS != "none" {
		o.Certificates = func() map[string]string {
			out := map[string]string{}
			for _, c := range s.certificateStates(s.Store.Now()) {
				if c.Problem != "" {
					out[c.Host] = c.Problem
				}
			}
			return out
		}
	}
	if _, address, err := subscriber.ParseMailbox(s.Config.Site.Webmaster); err == nil {
		o.Fallback = []string{address.String()}
	}
	return health.New(o)
}
