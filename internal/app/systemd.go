package app

import (
	"context"
	"slices"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/tidings-press/tidings/internal/delivery"
)

// notifySystemd notifies systemd of a change of the node's state, such as daemon.SdNotifyReady, if systemd
// has started the process by a unit with Type=notify.
func (n *Node) notifySystemd(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		n.Service.Log.Warn("cannot notify systemd of the state of the service", "state", state, "error", err)
	}
}

// keepWatchdog notifies systemd regularly that the node works, until the context ends, if the unit has
// WatchdogSec. It stops when a loop of the engine has stalled, so that systemd restarts the service.
func (n *Node) keepWatchdog(ctx context.Context) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		return
	}
	ticker := time.NewTicker(interval / 3)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			if !slices.ContainsFunc(n.monitored.Load().engine.Heartbeats(), func(h delivery.Heartbeat) bool { return h.Stalled(now) }) {
				n.notifySystemd(daemon.SdNotifyWatchdog)
			}
		case <-ctx.Done():
			return
		}
	}
}
