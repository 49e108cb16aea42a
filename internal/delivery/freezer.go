package delivery

import (
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
)

// freezer collects the variants of an edition that is being approved.
type freezer struct {
	store.Frozen
	engine   *Engine
	edition  digest.Edition
	input    digest.Input
	fixed    settings
	date     time.Time                 // of the mails
	known    map[string]int            // numbers of variants by the key of their preferences
	checked  map[string]digest.Variant // the variants without topics by key, which the check of the edition reads
	compiled []*compiledVariant        // the first ones, by number
	size     int                       // of those, in bytes
}

// add renders and compiles the variants of groups of subscribers, and sets which variant each group
// gets. All processors render, since an edition may have hundreds of variants; the numbers of the
// variants follow from the order of the groups alone.
func (f *freezer) add(groups []store.PreferenceGroup) error {
	prefs := make([]digest.Preferences, len(groups))
	var distinct []digest.Preferences
	for i, group := range groups {
		prefs[i] = f.engine.preferencesOf(f.input, group)
		key := prefs[i].Key()
		if _, found := f.known[key]; !found {
			f.known[key] = store.NoVariant
			distinct = append(distinct, prefs[i])
		}
	}
	for len(distinct) > 0 {
		batch := distinct[:min(len(distinct), 4*runtime.GOMAXPROCS(0))] // bounds the memory
		distinct = distinct[len(batch):]
		if err := f.addVariants(batch); err != nil {
			return err
		}
	}
	for i := range groups {
		if f.Choice[i] = f.known[prefs[i].Key()]; f.Choice[i] == store.NoVariant {
			f.Reasons[i] = prefs[i].SkipReason(f.input.Articles)
		}
	}
	return nil
}

// addVariants renders and compiles the variants for some preferences. Those for which the edition has
// nothing get none.
func (f *freezer) addVariants(batch []digest.Preferences) error {
	variants := make([]digest.Variant, len(batch))
	errs := make([]error, len(batch))
	inParallel(len(batch), func(i int) { variants[i], errs[i] = digest.Render(f.input, batch[i], f.engine.Templates) })
	for i, prefs := range batch {
		if errors.Is(errs[i], digest.ErrEmpty) {
			continue
		}
		if errs[i] != nil {
			return &renderError{errs[i]}
		}
		number, err := f.Add(variants[i])
		if err != nil {
			return err
		}
		f.known[prefs.Key()] = number
		if len(prefs.Topics) == 0 {
			f.checked[prefs.Key()] = variants[i]
		}
	}
	compiled := make([]*compiledVariant, len(batch))
	inParallel(len(batch), func(i int) {
		if errs[i] == nil { // a variant that cannot be compiled must not be approved
			path := f.edition.VariantPath(variants[i], f.known[batch[i].Key()])
			compiled[i], errs[i] = f.engine.compile(f.fixed, f.date, variants[i], path)
		}
	})
	for i := range compiled {
		if errs[i] != nil && !errors.Is(errs[i], digest.ErrEmpty) {
			return &renderError{errs[i]}
		}
		if compiled[i] == nil {
			continue
		}
		if f.size += compiled[i].Memory(); f.size <= maxCompiledBytes/2 {
			f.compiled = append(f.compiled, compiled[i])
		}
	}
	return nil
}

// inParallel calls f with the numbers from 0 to n-1, on all processors, and returns when all calls have
// returned.
func inParallel(n int, f func(i int)) {
	next := make(chan int)
	var work sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		work.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	work.Wait()
}
