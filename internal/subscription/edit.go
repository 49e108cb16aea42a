package subscription

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/words"
)

// Limits of what editors write about a subscriber.
const (
	maxLabels    = 50
	maxLabel     = 100 // characters
	maxStatement = 2000
)

// Edit changes the details, labels and digests of a subscriber who still has the version that the
// editor saw; see store.EditSubscriber. Languages and the timezone may be written as lists write
// them. The topics of a digest must exist, unless the subscriber has them.
func (m Manager) Edit(ctx context.Context, id int64, version string, edit store.SubscriberEdit) error {
	have, err := m.Store.ListedSubscriber(ctx, id)
	if err != nil {
		return err
	}
	for _, language := range []*string{&edit.Language, &edit.MailLanguage} {
		if *language, err = parseLanguage(*language); err != nil {
			return err
		}
	}
	if edit.Timezone != "" {
		name, known := subscriber.ParseTimezone(edit.Timezone)
		if !known {
			return store.InvalidInput(words.T("“{0}” is not a timezone; use a name such as Europe/Zurich", edit.Timezone))
		}
		edit.Timezone = name
	}
	if edit.Labels, err = cleanLabels(edit.Labels); err != nil {
		return err
	}
	if err := m.checkNewTopics(ctx, have, edit.Digests); err != nil {
		return err
	}
	return m.Store.EditSubscriber(ctx, id, version, edit)
}

// parseLanguage returns the tag of a language, empty for none.
func parseLanguage(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	tag, ok := subscriber.ParseLanguage(text)
	if !ok {
		return "", store.InvalidInput(words.T("“{0}” is not a language; use a tag such as en or pt-BR", text))
	}
	return tag, nil
}

// checkNewTopics checks the digests and those topics that the subscriber does not have.
func (m Manager) checkNewTopics(ctx context.Context, have store.ListedSubscriber, digests map[string][]string) error {
	for _, name := range slices.Sorted(maps.Keys(digests)) {
		kept := map[string]bool{}
		subscribed := false
		for _, one := range have.Subscriptions {
			if one.Digest != name {
				continue
			}
			subscribed = true
			for _, topic := range one.Topics {
				kept[topic] = true
			}
		}
		if !subscribed {
			if err := m.Config.CheckDigests([]string{name}); err != nil {
				return store.InvalidInput(words.T("{0}", err))
			}
		}
		fresh := slices.DeleteFunc(slices.Clone(digests[name]), func(topic string) bool { return kept[topic] })
		if err := m.checkTopics(ctx, []string{name}, fresh); err != nil {
			return err
		}
	}
	return nil
}

// cleanLabels returns labels without spaces around them, without empty and repeated ones.
func cleanLabels(labels []string) ([]string, error) {
	var out []string
	for _, label := range labels {
		label = subscriber.NormalizeName(label)
		if label == "" || slices.Contains(out, label) {
			continue
		}
		if len([]rune(label)) > maxLabel {
			return nil, store.InvalidInput(words.T("the label “{0}…” is longer than {1} characters; shorten it", string([]rune(label)[:20]), maxLabel))
		}
		out = append(out, label)
	}
	if len(out) > maxLabels {
		return nil, store.InvalidInput(words.T("{0} labels are too many; keep at most {1}", len(out), maxLabels))
	}
	return out, nil
}

// Statement is a consent that an editor has in writing.
type Statement struct {
	Words  string    // that the person agreed to
	Source string    // where the editor has it, such as "letter of 3 May"
	At     time.Time // when the person agreed
	By     string    // the editor who vouches for it
}

// consent returns the statement as it is stored with the subscriber.
func (s Statement) consent() (subscriber.Consent, error) {
	text, source := cleanStatement(s.Words), cleanStatement(s.Source)
	if text == "" || source == "" || s.At.IsZero() {
		return subscriber.Consent{}, store.InvalidInput(words.T("a consent needs the words that the person agreed to, where you have it, and the date when they agreed"))
	}
	return subscriber.Consent{Source: "editor", Text: fmt.Sprintf("%s (%s; recorded by %s)", text, source, s.By), At: s.At}, nil
}

func cleanStatement(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxStatement {
		text = string(runes[:maxStatement])
	}
	return text
}

// Reinstate puts a subscriber back on digests who never confirmed or who unsubscribed, because of a
// consent that they gave since; see store.Reinstate.
func (m Manager) Reinstate(ctx context.Context, id int64, s Statement, digests []string) error {
	if err := m.Config.CheckDigests(digests); err != nil {
		return store.InvalidInput(words.T("{0}", err))
	}
	consent, err := s.consent()
	if err != nil {
		return err
	}
	return m.Store.Reinstate(ctx, id, consent, digests)
}
