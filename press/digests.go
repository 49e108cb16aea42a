package press

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/schedule"
)

// DigestView is a digest as people ask for it.
type DigestView struct {
	Name        string      `json:"name"`
	Title       string      `json:"title"`
	Schedule    string      `json:"schedule"` // in words
	Spec        string      `json:"spec"`
	Subscribers int64       `json:"subscribers"`
	Next        []time.Time `json:"next"`
}

// Digests lists the configured digests with their next three times.
func (p *Press) Digests(ctx context.Context) ([]DigestView, error) {
	out := []DigestView{}
	now := p.Store.Now()
	for _, d := range p.Config.Digests {
		s, err := schedule.Parse(d.Schedule, d.Timezone)
		if err != nil {
			return nil, err
		}
		count, err := p.Store.CountActive(ctx, d.Name)
		if err != nil {
			return nil, err
		}
		view := DigestView{Name: d.Name, Title: d.Title, Schedule: s.Describe(), Spec: d.Schedule, Subscribers: count, Next: []time.Time{}}
		for _, tick := range s.NextN(now, 3) {
			view.Next = append(view.Next, tick.At)
		}
		out = append(out, view)
	}
	return out, nil
}
