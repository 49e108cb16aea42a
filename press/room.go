package press

import (
	"context"

	"github.com/tidings-press/tidings/web/room"
)

// FirstOwnerLink is the one-time link that makes the first editor; empty when there
// is one already.
func (p *Press) FirstOwnerLink(ctx context.Context) (string, error) {
	return room.FirstLink(ctx, p.Store, p.Config.Site.URL)
}

// EditorLink is a one-time link that lets one more editor in.
func (p *Press) EditorLink(ctx context.Context, owner bool) (string, error) {
	link, err := p.FirstOwnerLink(ctx)
	if link != "" || err != nil {
		return link, err
	}
	return room.InviteLink(ctx, p.Store, p.Config.Site.URL, owner)
}
