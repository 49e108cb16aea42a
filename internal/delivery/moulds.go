package delivery

import (
	"container/list"
	"context"
	"strconv"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/tidings-press/tidings/mailer"
)

// mould is a variant that is ready to be poured for readers.
type mould struct {
	*mailer.Mould
	nobody string
	page   string // path of the public page with the same articles
}

// moulds are those that were poured from last, of all editions.
type moulds struct {
	mu    sync.Mutex
	kept  map[mouldKey]*list.Element // of *keptMould
	order list.List                  // the last used one first
	size  int                        // in octets
	casts singleflight.Group
}

type mouldKey struct {
	edition int64
	number  int
}

type keptMould struct {
	key   mouldKey
	mould *mould
}

// mostMoulds bounds the moulds in memory, in octets. A mould is about as large as its
// mail; an edition of more variants than fit is cast again and again, at some 200
// times the price of pouring.
const mostMoulds = 24 << 20

// of returns a variant's mould, cast at the first mail that needs it. Others may be
// cast meanwhile.
func (m *moulds) of(key mouldKey, cast func() (*mould, error)) (*mould, error) {
	if have := m.get(key); have != nil {
		return have, nil
	}
	made, err, _ := m.casts.Do(strconv.FormatInt(key.edition, 10)+"/"+strconv.Itoa(key.number), func() (any, error) {
		if have := m.get(key); have != nil {
			return have, nil
		}
		made, err := cast()
		if err == nil {
			m.put(key, made)
		}
		return made, err
	})
	if err != nil {
		return nil, err
	}
	return made.(*mould), nil
}

func (m *moulds) get(key mouldKey) *mould {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.kept[key]
	if at == nil {
		return nil
	}
	m.order.MoveToFront(at)
	return at.Value.(*keptMould).mould
}

func (m *moulds) put(key mouldKey, made *mould) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil {
		m.kept = map[mouldKey]*list.Element{}
	}
	m.kept[key] = m.order.PushFront(&keptMould{key, made})
	m.size += made.Memory()
	for m.size > mostMoulds && m.order.Len() > 1 {
		last := m.order.Remove(m.order.Back()).(*keptMould)
		delete(m.kept, last.key)
		m.size -= last.mould.Memory()
	}
}

// mouldOf returns the mould of one variant of an edition.
func (e *Engine) mouldOf(ctx context.Context, l *loaded, number int) (*mould, error) {
	return e.moulds.of(mouldKey{l.Seq, number}, func() (*mould, error) {
		variant, err := e.Store.Variant(ctx, l.Seq, number)
		if err != nil {
			return nil, err
		}
		made, err := e.cast(l.fixed, l.ID, l.date, variant)
		if err == nil {
			made.page = variant.PagePath(number)
		}
		return made, err
	})
}
