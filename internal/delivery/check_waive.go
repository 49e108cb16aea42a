package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/words"
)

// maxReason bounds the reason of a waiver, in characters.
const maxReason = 500

// Waive records that an editor, by, allows a draft to be sent despite all findings of a name, and
// why. It replaces an earlier waiver of that name.
func (e *Engine) Waive(ctx context.Context, id, finding, reason, by string) error {
	reason = article.CleanLine(reason)
	switch {
	case !lint.Known(finding):
		return words.Errorf("unknown finding {0}; write a name that the check prints, such as link-broken", strconv.Quote(finding))
	case reason == "":
		return words.Errorf("a waiver needs a reason; write why the edition may be sent despite the finding")
	case len([]rune(reason)) > maxReason:
		return words.Errorf("the reason is longer than {0} characters; shorten it", maxReason)
	}
	waiver := digest.Waiver{Finding: finding, Reason: reason, By: by, At: e.Store.Now().UTC()}
	return e.changeWaivers(ctx, id, func(all []digest.Waiver) []digest.Waiver { return append(without(all, finding), waiver) })
}

// Unwaive removes the waiver of a finding.
func (e *Engine) Unwaive(ctx context.Context, id, finding string) error {
	return e.changeWaivers(ctx, id, func(all []digest.Waiver) []digest.Waiver { return without(all, finding) })
}

func without(all []digest.Waiver, finding string) []digest.Waiver {
	return slices.DeleteFunc(slices.Clone(all), func(w digest.Waiver) bool { return w.Finding == finding })
}

// changeWaivers changes the waivers of a draft, again if someone else changed the draft meanwhile.
func (e *Engine) changeWaivers(ctx context.Context, id string, change func([]digest.Waiver) []digest.Waiver) error {
	for attempt := 1; ; attempt++ {
		was, err := e.Store.Edition(ctx, id)
		if err != nil {
			return err
		}
		next := was
		next.Edits.Waived = change(was.Edits.Waived)
		err = e.Store.EditDraft(ctx, was, next)
		if !errors.Is(err, store.ErrDraftChanged) || attempt == maxPlans {
			return err
		}
	}
}

// waived marks the findings that an editor waived.
func waived(findings []lint.Finding, waivers []digest.Waiver) []lint.Finding {
	for i := range findings {
		for _, w := range waivers {
			if w.Finding == findings[i].Name {
				findings[i].Waived = strings.TrimSpace(fmt.Sprintf("%s (%s, %s)", w.Reason, w.By, w.At.Format("2 January 2006 15:04 UTC")))
			}
		}
	}
	return lint.Sorted(findings)
}
