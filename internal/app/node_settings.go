package app

import (
	"context"
	"time"

	"github.com/tidings-press/tidings/internal/settings"
)

// settingsEvery is how often a node looks for settings that were changed in the admin of another node,
// or by a command. A look reads one number.
const settingsEvery = time.Second

// takeTimeout bounds how long a request waits for this node to take changed settings.
const takeTimeout = 30 * time.Second

// takeChanges waits until this node has taken settings that were stored, at most takeTimeout.
func (n *Node) takeChanges(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, takeTimeout)
	defer cancel()
	done := make(chan struct{})
	select {
	case n.changes <- done:
	case <-ctx.Done():
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// reloadSettings replaces the instance if settings were changed in the admin. It closes done, if given,
// once the new instance serves.
func (n *Node) reloadSettings(ctx context.Context, current *instance, done chan<- struct{}) *instance {
	next, changed := n.changedSettings(ctx, current)
	if !changed {
		if done != nil {
			close(done)
		}
		return current
	}
	replaced := n.replace(ctx, current, next, done)
	if replaced == current && done != nil {
		close(done)
	}
	return replaced
}

// changedSettings returns the settings of the store if they are newer than those in use. Settings that
// cannot be used are reported once.
func (n *Node) changedSettings(ctx context.Context, current *instance) (settings.Current, bool) {
	revision, err := n.Service.Store.SettingsRevision(ctx)
	if err != nil || revision <= max(current.revision, current.refused) {
		return settings.Current{}, false // the health checks report a store that does not answer
	}
	next, err := settings.Load(ctx, n.Service.Store, current.config.File())
	if err != nil {
		current.refused = revision
		n.Service.Log.Error("settings of the admin have errors; the old ones stay in use", "error", err)
		return settings.Current{}, false
	}
	return next, true
}
