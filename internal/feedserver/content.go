package feedserver

import (
	"context"
	"strconv"
	"sync"

	"github.com/tidings-press/tidings/feed"
)

// content is what a document shows, in whatever format.
type content struct {
	selection feed.Selection
	prepared  *feed.Prepared
	members   members
}

// load reads and cleans the content of a target.
func (s *Server) load(ctx context.Context, t target) (content, error) {
	source := &witness{Source: s.options.Source}
	selection, err := feed.Load(ctx, source, s.options.Site, t.definition, t.cursor, s.asOf())
	if err != nil {
		return content{}, err
	}
	return content{selection, feed.Prepare(selection), source.members()}, nil
}

// prepare is load, once for all formats of a generation.
func (s *Server) prepare(ctx context.Context, t target, generation int64) (content, error) {
	key := strconv.FormatInt(generation, 36) + " " + t.cursor + " " + t.definition.Path("", "")
	shared := t.definition.Kind != feed.Private && t.definition.Kind != feed.ByDigest
	if entry := s.prepared.get(key); shared && entry.prepared != nil {
		return entry, nil
	}
	made, err := s.load(ctx, t)
	if err == nil && shared && made.prepared.Bytes() < 1<<20 {
		s.prepared.put(key, made)
	}
	return made, err
}

// preparedCache keeps the last few contents for the other formats of the same feed,
// which readers ask for in turn after a change.
type preparedCache struct {
	mu   sync.Mutex
	last [8]preparedEntry
	next int
}

type preparedEntry struct {
	key string
	content
}

func (p *preparedCache) get(key string) content {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, entry := range p.last {
		if entry.key == key {
			return entry.content
		}
	}
	return content{}
}

func (p *preparedCache) put(key string, made content) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[p.next] = preparedEntry{key, made}
	p.next = (p.next + 1) % len(p.last)
}
