package public

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/tidings-press/tidings/internal/article"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/token"
)

// preferencesPage is the data of the preferences page. Every mail has a link to it, and mails may
// be forwarded, so it shows neither the full address nor the name.
type preferencesPage struct {
	Action        string
	Address       string // masked
	Language      string
	Languages     []string
	MailLanguage  string   // empty for the site's
	MailLanguages []string // that the templates have phrases in
	Paused        bool
	Left          bool // subscribed to no digest
	Digests       []digestView
	Saved         bool
	Private       string // address of a new private feed, shown once
}

// topicView is a tag in the form.
type topicView struct {
	Name    string
	Checked bool
}

// maxTopics is the maximum number of tags in the form.
const maxTopics = 40

func (p *Pages) preferencesPage(w http.ResponseWriter, r *http.Request) error {
	h, err := p.linkOwner(r, token.Preferences)
	if err != nil {
		return err
	}
	return p.showPreferences(w, r, h.Subscriber, preferencesPage{})
}

// showPreferences shows the page with the stored preferences of a subscriber. body has the result
// of the request.
func (p *Pages) showPreferences(w http.ResponseWriter, r *http.Request, sub subscriber.Subscriber, body preferencesPage) error {
	subscriptions, err := p.store.Subscriptions(r.Context(), sub.ID)
	if err != nil {
		return err
	}
	body.Action, body.Address, body.Language = r.URL.Path, sub.Address.Masked(), sub.Language
	body.Paused, body.Left, body.Languages = sub.State == subscriber.Paused, len(subscriptions) == 0, p.offeredLanguages(r.Context(), sub.Language)
	body.MailLanguage, body.MailLanguages = sub.MailLanguage, p.mailLanguages(sub.MailLanguage)
	chosen := []string{}
	for _, s := range subscriptions {
		chosen = append(chosen, s.Digest) // archived ones too, or saving the form would end them
	}
	body.Digests = p.digests(r.Context(), chosen)
	for i := range body.Digests {
		topics, err := p.topics(r.Context(), body.Digests[i].Name)
		if err != nil {
			return err
		}
		fillTopics(&body.Digests[i], topics, subscriptions)
	}
	return p.show(w, r, http.StatusOK, "preferences", page{Title: p.layout(r.Context()).Say("Your subscription"), NoIndex: true, Narrow: true, Body: body})
}

// fillTopics adds the topics of a digest to its view: the most frequent ones, and those chosen
// before.
func fillTopics(v *digestView, topics []store.LabelCount, subscriptions []subscriber.Subscription) {
	var chosen []string
	for _, s := range subscriptions {
		if s.Digest == v.Name {
			v.Checked, chosen = true, s.Topics
		}
	}
	v.ByTopic = len(chosen) > 0
	keys := map[string]bool{}
	for _, topic := range chosen {
		keys[article.TagKey(topic)] = true
	}
	for _, t := range topics {
		v.Topics = append(v.Topics, topicView{t.Name, keys[t.Key]})
		delete(keys, t.Key)
	}
	for _, topic := range chosen {
		if keys[article.TagKey(topic)] {
			v.Topics = append(v.Topics, topicView{topic, true})
		}
	}
}

// topics returns the tags of the articles that match a digest's filter.
func (p *Pages) topics(ctx context.Context, digest string) ([]store.LabelCount, error) {
	filter, err := p.filterOf(digest)
	if err != nil {
		return nil, err
	}
	found, err := p.store.Topics(ctx, filter, maxTopics)
	slices.SortFunc(found, func(a, b store.LabelCount) int { return cmp.Compare(a.Key, b.Key) })
	return found, err
}

// filterOf returns the filter of a digest.
func (p *Pages) filterOf(digest string) (article.Filter, error) {
	d := p.digest(digest)
	if d == nil {
		return article.Filter{}, store.ErrNotFound
	}
	return d.Filter.Compile()
}

// checkTopics refuses a choice without a topic, which the store reads as all of them, and topics that no
// article of the digest has, except those chosen before: subscribers would get nothing for them.
func (p *Pages) checkTopics(ctx context.Context, id int64, digest string, topics []string) error {
	if len(topics) == 0 {
		say := p.layout(ctx).Say
		return &refusal{status: http.StatusUnprocessableEntity, title: say("Nothing was changed"), Text: say("Choose at least one topic, or clear the box above the topics to get all articles.")}
	}
	filter, err := p.filterOf(digest)
	if err != nil {
		return err
	}
	had, err := p.store.Subscription(ctx, id, digest)
	if ignoreMissing(err) != nil {
		return err
	}
	for _, topic := range topics {
		if slices.Contains(had.Topics, topic) {
			continue
		}
		known, err := p.store.HasTopic(ctx, filter, topic)
		if err != nil {
			return err
		}
		if !known {
			return &refusal{status: http.StatusUnprocessableEntity, title: p.layout(ctx).Say("Unknown topic"), Text: p.layout(ctx).Say("This email has no articles on this topic:") + " " + topic}
		}
	}
	return nil
}

// mailLanguages returns the languages of mails, and the one chosen before.
func (p *Pages) mailLanguages(own string) []string {
	out := p.templates.Languages()
	if own != "" && !slices.Contains(out, own) {
		out = append(out, own)
	}
	return out
}

func (p *Pages) offeredLanguages(ctx context.Context, own string) []string {
	var out []string
	if all, err := p.store.Languages(ctx); err == nil {
		for _, l := range all {
			out = append(out, l.Name)
		}
	}
	if own != "" && !slices.Contains(out, own) {
		out = append(out, own)
	}
	return out
}

func (p *Pages) preferences(w http.ResponseWriter, r *http.Request) error {
	h, err := p.linkOwner(r, token.Preferences)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return p.badForm(r, err)
	}
	switch r.PostForm.Get("do") {
	case "erase":
		return p.askForOwnData(w, r, h.Subscriber, token.Erase)
	case "export":
		return p.askForOwnData(w, r, h.Subscriber, token.Export)
	}
	body := preferencesPage{Saved: true}
	if body.Private, err = p.change(r, h.Subscriber); err != nil {
		return p.forbidden(r, err)
	}
	sub, err := p.store.Subscriber(r.Context(), h.ID)
	if err != nil {
		return err
	}
	return p.showPreferences(w, r, sub, body)
}

// change carries out the action of a button. It returns the address of a new private feed.
func (p *Pages) change(r *http.Request, sub subscriber.Subscriber) (string, error) {
	do, name, _ := strings.Cut(r.PostForm.Get("do"), ":")
	switch do {
	case "leave":
		return "", p.store.UnsubscribeAll(r.Context(), sub.ID)
	case "pause":
		return "", p.store.SetState(r.Context(), sub.ID, subscriber.Paused, "by the reader")
	case "resume":
		if sub.State != subscriber.Paused {
			return "", nil // clicked twice, or on an old page
		}
		return "", p.setActive(r.Context(), sub, "by the reader")
	case "feed":
		return p.privateFeed(r.Context(), sub.ID, name)
	case "close":
		return "", p.store.RevokeFeedToken(r.Context(), sub.ID, name)
	}
	return "", p.save(r, sub)
}

// privateFeed creates a feed with the articles that a subscriber gets in a digest. It returns its
// address, which is shown once, since the store has only a hash of it.
func (p *Pages) privateFeed(ctx context.Context, id int64, name string) (string, error) {
	if _, err := p.store.Subscription(ctx, id, name); err != nil {
		return "", err
	}
	token, err := p.store.CreateFeedToken(ctx, id, name)
	return p.config.Site.URL + "/private/" + token + "/", err
}

// forbidden returns the error page for a state transition that is not allowed.
func (p *Pages) forbidden(r *http.Request, err error) error {
	var state *store.SubscriberStateError
	if !errors.As(err, &state) {
		return err
	}
	return &refusal{status: http.StatusConflict, title: p.layout(r.Context()).Say("Nothing was changed"), Text: p.layout(r.Context()).Say("This address cannot be changed now. Please confirm your subscription first, or subscribe again."), Link: "/subscribe", Label: p.layout(r.Context()).Say("Subscribe")}
}

// save stores the name, the languages, the digests and the topics of the form.
func (p *Pages) save(r *http.Request, sub subscriber.Subscriber) error {
	ctx, form := r.Context(), r.PostForm
	if name := subscriber.NormalizeName(form.Get("name")); name != "" {
		sub.Name = name
	}
	if tag, err := language.Parse(form.Get("language")); err == nil {
		sub.Language = tag.String()
	} else if form.Get("language") == "" {
		sub.Language = ""
	}
	if form.Has("mail-language") {
		sub.MailLanguage = mailLanguage(form.Get("mail-language"))
	}
	chosen := p.knownDigests(form["digest"])
	for _, name := range chosen {
		if form.Get("some-"+name) == "" {
			continue
		}
		if err := p.checkTopics(ctx, sub.ID, name, form["topic-"+name]); err != nil {
			return err
		}
	}
	if err := p.store.UpdateSubscriber(ctx, sub); err != nil {
		return err
	}
	if len(chosen) > 0 && sub.State != subscriber.Active && sub.State != subscriber.Paused {
		if err := p.setActive(ctx, sub, "by the reader"); err != nil {
			return err
		}
	}
	for _, name := range chosen {
		var topics []string
		if form.Get("some-"+name) != "" {
			topics = form["topic-"+name]
		}
		if err := p.store.Subscribe(ctx, sub.ID, name, topics); err != nil {
			return err
		}
	}
	for _, d := range p.config.Digests {
		if !slices.Contains(chosen, d.Name) {
			if err := ignoreMissing(p.store.Unsubscribe(ctx, sub.ID, d.Name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// ignoreMissing returns nil for store.ErrNotFound.
func ignoreMissing(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
