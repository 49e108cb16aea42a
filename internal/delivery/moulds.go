package delivery

import (
	"container/list"
	"context"
	"strconv"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/tidings-press/tidings/mailer"
)

// compiledVariant is a variant that is ready to be poured for readers.
type compiledVariant struct {
	*mailer.Compiled
	nobody string
	page   string // path of the public page with the same articles
}

// compiledCache are those that were poured from last, of all editions.
type compiledCache struct {
	mu        sync.Mutex
	kept      map[variantKey]*list.Element // of *keptMould
	order     list.List                    // the last used one first
	size      int                          // in octets
	compiling singleflight.Group
}

type variantKey struct {
	edition int64
	number  int
}

type cachedVariant struct {
	key     variantKey
	variant *compiledVariant
}

// compiledCacheMax bounds the moulds in memory, in octets. A mould is about as large as its
// mail; an edition of more variants than fit is cast again and again, at some 200
// times the price of pouring.
const compiledCacheMax = 24 << 20

// of returns a variant's mould, cast at the first mail that needs it. Others may be
// cast meanwhile.
func (m *compiledCache) of(key variantKey, cast func() (*compiledVariant, error)) (*compiledVariant, error) {
	if have := m.get(key); have != nil {
		return have, nil
	}
	made, err, _ := m.compiling.Do(strconv.FormatInt(key.edition, 10)+"/"+strconv.Itoa(key.number), func() (any, error) {
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
	return made.(*compiledVariant), nil
}

func (m *compiledCache) get(key variantKey) *compiledVariant {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := m.kept[key]
	if at == nil {
		return nil
	}
	m.order.MoveToFront(at)
	return at.Value.(*cachedVariant).variant
}

func (m *compiledCache) put(key variantKey, made *compiledVariant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil {
		m.kept = map[variantKey]*list.Element{}
	}
	m.kept[key] = m.order.PushFront(&cachedVariant{key, made})
	m.size += made.Memory()
	for m.size > compiledCacheMax && m.order.Len() > 1 {
		last := m.order.Remove(m.order.Back()).(*cachedVariant)
		delete(m.kept, last.key)
		m.size -= last.variant.Memory()
	}
}

// compiledVariant returns the mould of one variant of an edition.
func (e *Engine) compiledVariant(ctx context.Context, l *loaded, number int) (*compiledVariant, error) {
	return e.compiled.of(variantKey{l.Seq, number}, func() (*compiledVariant, error) {
		variant, err := e.Store.Variant(ctx, l.Seq, number)
		if err != nil {
			return nil, err
		}
		made, err := e.compile(l.fixed, l.ID, l.date, variant)
		if err == nil {
			made.page = variant.PagePath(number)
		}
		return made, err
	})
}
