package delivery

import "github.com/tidings-press/tidings/mailer"

// Compiled returns the compiled variants of an edition that the engine has in its cache.
func (e *Engine) Compiled(edition int64) []*mailer.Compiled {
	e.compiled.mu.Lock()
	defer e.compiled.mu.Unlock()
	var out []*mailer.Compiled
	for number := range 1000 {
		if at := e.compiled.kept[variantKey{edition, number}]; at != nil {
			out = append(out, at.Value.(*cachedVariant).variant.Compiled)
		}
	}
	return out
}
