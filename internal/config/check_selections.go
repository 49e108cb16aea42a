package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tidings-press/tidings/internal/schedule"
	"github.com/tidings-press/tidings/internal/words"
)

func (c *checker) feed(key string, f *Feed) {
	c.name(key+".name", f.Name, c.usedNames("feeds"))
	c.filter(key+".filter", f.Filter)
	c.between(key+".limit", f.Limit, 1, 1000)
	c.oneOf(key+".content", f.Content, "full", "summary")
	c.language(key+".language", f.Language)
	c.notNegative(key+".max_age", f.MaxAge)
	if p := f.Podcast; p != nil {
		c.mailbox(key+".podcast.owner", p.Owner)
		c.optionalAddress(key+".podcast.image", p.Image)
		c.podcastCategory(key+".podcast.category", p.Category)
		c.oneOf(key+".podcast.type", p.Type, "episodic", "serial")
		if _, err := uuid.Parse(p.GUID); p.GUID != "" && err != nil {
			c.wrong(key+".podcast.guid", fmt.Sprintf("%q is no UUID", p.GUID), "write the podcast:guid of the feed, or leave it empty")
		}
		for i, person := range p.Persons {
			at := fmt.Sprintf("%s.podcast.persons[%d]", key, i)
			c.required(at+".name", person.Name, "write the name of the person")
			c.optionalAddress(at+".url", person.URL)
			c.optionalAddress(at+".image", person.Image)
		}
	}
}

func (c *checker) digest(key string, d *Digest) {
	c.name(key+".name", d.Name, c.usedNames("digests"))
	if d.Timezone != c.config.Site.Timezone { // already checked
		c.timezone(key+".timezone", d.Timezone)
	}
	times, err := schedule.Parse(d.Schedule, "UTC")
	c.failed(key+".schedule", err, `write a cron spec such as "0 8 * * 5"`)
	c.draftBefore(key+".draft_before", d.DraftBefore, times)
	c.oneOf(key+".status", d.Status, "active", "paused", "archived")
	c.oneOf(key+".missed", d.Missed, "latest", "each")
	c.filter(key+".filter", d.Filter)
	c.between(key+".min_articles", d.MinArticles, 1, 1000)
	c.between(key+".max_articles", d.MaxArticles, 1, 1000)
	if d.MaxArticles < d.MinArticles {
		c.wrong(key+".max_articles", words.T("{0} is less than min_articles, {1}", strconv.Itoa(d.MaxArticles), strconv.Itoa(d.MinArticles)).String(), "use at least as many")
	}
	c.required(key+".sender", d.Sender, `write "Name <news@example.org>"`)
	c.mailbox(key+".sender", d.Sender)
	if d.ReplyTo != d.Sender {
		c.mailbox(key+".reply_to", d.ReplyTo)
	}
	c.language(key+".language", d.Language)
	c.oneOf(key+".approval", d.Approval, "automatic", "manual", "two")
	c.oneOf(key+".at_deadline", d.AtDeadline, "send", "hold", "skip")
	c.oneOf(key+".prefer", d.Prefer, "newest", "oldest")
	c.oneOf(key+".notify", d.Notify.To, "editors", "owners", "none")
	c.notNegative(key+".after", d.After)
	c.arrangement(key, d)
	c.size(key+".intro", d.Intro, 20_000) // as much as in one edition
	c.size(key+".footer", d.Footer, 2000)
}

// size refuses a text with more bytes in a language.
func (c *checker) size(key string, t Text, most int) {
	for tag, text := range t.All() {
		if len(text) > most {
			c.wrong(strings.TrimSuffix(key+"."+tag, "."), words.T("it has {0} bytes", strconv.Itoa(len(text))).String(), words.T("write at most {0}", strconv.Itoa(most)).String())
		}
	}
}

// draftBefore checks how long before its tick an edition is drafted: the draft of a tick must not
// be due before the tick before it. times is nil for a schedule with an error.
func (c *checker) draftBefore(key string, d time.Duration, times *schedule.Schedule) {
	if d == 0 {
		return
	}
	if d < time.Minute {
		c.wrong(key, words.T("{0} is too short for an editor to read a proof", d.String()).String(), "use 1m or more, such as 24h, or 0s to draft at the tick")
		return
	}
	if times == nil {
		return
	}
	const compared = 100
	ticks := times.NextN(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC), compared)
	for i := 1; i < len(ticks); i++ {
		if gap := ticks[i].At.Sub(ticks[i-1].At); d > gap {
			c.wrong(key, words.T("{0} is longer than the time between two ticks, {1}", d.String(), gap.String()).String(), "use at most that")
			return
		}
	}
}

func (c *checker) filter(key string, f Filter) {
	for i, lang := range f.Languages {
		c.language(fmt.Sprintf("%s.languages[%d]", key, i), lang)
	}
	c.match(key+".match", f.Match)
}
