package delivery

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/mailer"
)

// Check returns the findings about an edition: of a draft as it would be approved now, of an approved
// one as it was frozen. It changes nothing. It asks no other site, but tells what an earlier
// CheckOnline found.
func (e *Engine) Check(ctx context.Context, id string) ([]lint.Finding, error) {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return nil, err
	}
	return e.check(ctx, edition, nil)
}

// CheckOnline is Check with requests for links and images of other sites, and to spam filters.
func (e *Engine) CheckOnline(ctx context.Context, id string) ([]lint.Finding, error) {
	edition, err := e.Store.Edition(ctx, id)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, onlineTimeout)
	defer cancel()
	return e.check(ctx, edition, limited)
}

// onlineTimeout is how long a check waits for other sites and for spam filters.
const onlineTimeout = 45 * time.Second

// check checks an edition. online limits the requests to other sites and to spam filters; nil makes
// none and uses what earlier requests found.
func (e *Engine) check(ctx context.Context, edition store.Edition, online context.Context) ([]lint.Finding, error) {
	input, err := e.inputOf(ctx, edition)
	if err != nil {
		return nil, err
	}
	return e.checkInput(ctx, edition, input, nil, online)
}

// checkInput checks an edition with this input. rendered are variants of it by key, which are then
// not rendered again; it may be nil.
func (e *Engine) checkInput(ctx context.Context, edition store.Edition, input digest.Input, rendered map[string]digest.Variant, online context.Context) ([]lint.Finding, error) {
	variants, err := e.checkedVariants(ctx, edition, input, rendered)
	if err != nil {
		return nil, err
	}
	findings, err := e.findings(ctx, input, variants, edition.Seq, online)
	return waived(findings, edition.Edits.Waived), err
}

// CheckNext returns the findings about the next edition of a digest as it would be now. It returns a
// *NothingNewError when there would be none.
func (e *Engine) CheckNext(ctx context.Context, name string, online bool) ([]lint.Finding, error) {
	def, err := e.definition(name)
	if err != nil {
		return nil, err
	}
	state, err := e.Store.DigestState(ctx, name)
	if err != nil {
		return nil, err
	}
	input, err := e.input(ctx, def, state, selection{}, previewKey())
	if err != nil {
		return nil, err
	}
	variants, err := e.variantsWithoutTopics(input, nil)
	if err != nil {
		return nil, err
	}
	var limited context.Context
	if online {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, onlineTimeout)
		defer cancel()
	}
	findings, err := e.findings(ctx, input, variants, 0, limited)
	return lint.Sorted(findings), err
}

// findings checks variants of an edition. seq is its number in the store; 0 if it is not stored.
func (e *Engine) findings(ctx context.Context, input digest.Input, variants []digest.Variant, seq int64, online context.Context) ([]lint.Finding, error) {
	checked, err := e.checkedEdition(ctx, input, variants, seq)
	if err != nil {
		return nil, err
	}
	mails, references := e.references(&checked)
	if checked.Absent, err = e.absentPaths(ctx, references.Own); err != nil {
		return nil, err
	}
	found, err := e.localFindings(input, &checked, mails, online != nil)
	if err != nil {
		return nil, err
	}
	switch {
	case e.Checks.Fetcher == nil:
	case online != nil:
		found = append(found, e.Checks.Fetcher.Check(online, checked)...)
	default:
		found = append(found, e.Checks.Fetcher.Cached(references)...)
	}
	if online != nil {
		for _, filter := range e.Checks.Filters {
			found = append(found, lint.CheckSpam(online, filter, checked)...)
		}
	}
	return found, nil
}

// checkedVariants returns the frozen variant with the most articles, or else the variants that an
// approval would freeze now.
func (e *Engine) checkedVariants(ctx context.Context, edition store.Edition, input digest.Input, rendered map[string]digest.Variant) ([]digest.Variant, error) {
	if !edition.Approved.IsZero() {
		v, err := e.Store.FullVariant(ctx, edition.Seq)
		if !errors.Is(err, store.ErrNotFound) { // it had no recipients
			return []digest.Variant{v}, err
		}
	}
	return e.variantsWithoutTopics(input, rendered)
}

// variantsWithoutTopics renders the variants of all languages, except those that are rendered
// already, by key. Those for topics show some of their articles.
func (e *Engine) variantsWithoutTopics(input digest.Input, rendered map[string]digest.Variant) ([]digest.Variant, error) {
	all := e.withoutTopics(input)
	var missing []digest.Preferences
	for _, prefs := range all {
		if _, found := rendered[prefs.Key()]; !found {
			missing = append(missing, prefs)
		}
	}
	made, err := e.renderAll(input, missing)
	if err != nil {
		return nil, err
	}
	var out []digest.Variant
	done := map[string]bool{}
	for _, prefs := range all {
		key := prefs.Key()
		v, found := rendered[key]
		if !found {
			v, found = made[key]
		}
		if found && !done[key] {
			out = append(out, v)
		}
		done[key] = true
	}
	return out, nil
}

// comparedSubjects is the number of earlier editions whose subjects an edition must not repeat.
const comparedSubjects = 20

// checkedEdition returns what package lint needs of an edition, without the absent paths and the mails of
// a sample subscriber. seq is its number in the store; 0 if it is not stored.
func (e *Engine) checkedEdition(ctx context.Context, input digest.Input, variants []digest.Variant, seq int64) (lint.Edition, error) {
	out := lint.Edition{Site: input.Site, Message: input.IsMessage(), Articles: input.Articles, Pictures: input.Pictures}
	for _, v := range variants {
		out.Variants = append(out.Variants, lint.Variant{Variant: v})
	}
	earlier, err := e.Store.Editions(ctx, input.Definition.Name, 2*comparedSubjects)
	if err != nil {
		return out, err
	}
	for i := range earlier {
		if before := &earlier[i]; (seq == 0 || before.Seq < seq) && !before.Approved.IsZero() && len(out.Subjects) < comparedSubjects {
			out.Subjects = append(out.Subjects, before.Subject)
		}
	}
	return out, nil
}

// addSamples adds the mails that a sample subscriber would get.
func (e *Engine) addSamples(input digest.Input, checked *lint.Edition) error {
	errs := make([]error, len(checked.Variants))
	inParallel(len(checked.Variants), func(i int) {
		v := &checked.Variants[i]
		v.Message, errs[i] = e.sampleMessage(input, v.Variant)
	})
	return errors.Join(errs...)
}

// sampleMessage returns the mail that a sample subscriber would get.
func (e *Engine) sampleMessage(input digest.Input, v digest.Variant) ([]byte, error) {
	fixed, err := e.settings(input.Definition.Name)
	if err != nil {
		return nil, err
	}
	compiled, err := e.compile(fixed, e.Store.Now(), v, digest.PagePath(input.Definition.Name, input.Number, v.Subject))
	if err != nil {
		return nil, &renderError{err}
	}
	paths, err := mailer.NewSignedAddresses(e.secret, fixed.Domain)
	if err != nil {
		return nil, err
	}
	l := &loadedEdition{Edition: store.Edition{Edition: digest.Edition{ID: input.ID, Digest: input.Definition.Name}}, fixed: fixed}
	sample := store.Recipient{UID: uuid.Nil, Name: "Sample Subscriber"}
	return compiled.Render(nil, e.values(nil, compiled, paths, l, sample, subscriber.MustParseAddress("subscriber@example.org"))), nil
}

// absentPaths returns which of some paths of this site lead to no public article and no medium.
// Paths of other pages are taken as present.
func (e *Engine) absentPaths(ctx context.Context, paths []string) (map[string]bool, error) {
	const most = 500
	out := map[string]bool{}
	for _, path := range paths[:min(len(paths), most)] {
		absent, err := e.isAbsent(ctx, path)
		if err != nil {
			return nil, err
		}
		out[path] = absent
	}
	return out, nil
}

func (e *Engine) isAbsent(ctx context.Context, path string) (bool, error) {
	if name, found := strings.CutPrefix(path, "/media/"); found {
		return e.isAbsentMedium(ctx, name)
	}
	slug, found := strings.CutPrefix(path, "/articles/")
	if !found {
		return false, nil
	}
	if plain, err := url.PathUnescape(slug); err == nil {
		slug = plain
	}
	a, err := e.Store.ArticleBySlug(ctx, slug)
	if err == nil && a.Readable(e.Store.Now()) {
		return false, nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	_, err = e.Store.Redirect(ctx, path)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	return false, err
}

func (e *Engine) isAbsentMedium(ctx context.Context, name string) (bool, error) {
	images, _, err := e.Store.Pictures(ctx, []string{name})
	if err != nil || len(images) > 0 {
		return false, err
	}
	_, err = e.Store.Medium(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	return false, err
}
