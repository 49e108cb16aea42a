package digest

import (
	"reflect"
	"sync"
	"testing"
)

// TestSharedWorkGivesTheSameVariants renders variants at the same time from an input that shares their
// work, and compares them with those that are rendered alone.
func TestSharedWorkGivesTheSameVariants(t *testing.T) {
	t.Parallel()
	in := sampleInput()
	in.Definition.Language = ""
	shared := in.Sharing()
	var work sync.WaitGroup
	for _, prefs := range []Preferences{{}, {Topics: []string{"sea"}}, {Language: "fr"}, {MailLanguage: "ar"}, {MailLanguage: "fr"}} {
		for range 3 {
			work.Go(func() {
				want, got := mustRender(t, in, prefs), mustRender(t, shared, prefs)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%+v: the variants differ", prefs)
				}
			})
		}
	}
	work.Wait()
}
