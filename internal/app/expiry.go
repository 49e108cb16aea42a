package app

import (
	"context"
	"time"
)

// expiryInterval is how often the store is asked for articles whose time has run out. The
// question is one look at a small index.
const expiryInterval = time.Second

// withdrawExpired withdraws articles when their expiry date comes, until the context
// ends.
func (p *Service) withdrawExpired(ctx context.Context) {
	tick := time.NewTicker(expiryInterval)
	defer tick.Stop()
	for {
		n, err := p.Store.WithdrawExpired(ctx)
		if n > 0 {
			p.Log.Info("articles expired and were withdrawn", "count", n)
		}
		if err != nil && ctx.Err() == nil {
			p.Log.Error("expired articles cannot be withdrawn", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
