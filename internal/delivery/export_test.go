package delivery

import "github.com/tidings-press/tidings/mailer"

// Compiled returns the compiled variants of an edition that the engine has in its cache.
func (e *Engine) Compiled(edition int64) []*mailer.Compiled {
	var out []*mailer.Compiled
	for number := range 1000 {
		if variant, ok := e.compiled.Get(variantKey{edition, number}); ok {
			out = append(out, variant.Compiled)
		}
	}
	return out
}
