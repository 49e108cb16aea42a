package admin

import (
	"html/template"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/web/chart"
	"github.com/tidings-press/tidings/internal/words"
)

// figuresPage is the data of the page with the charts of subscribers.
type figuresPage struct {
	Growth, Joined, Left template.HTML
}

// subscriberMonth holds the figures of a month.
type subscriberMonth struct {
	month  time.Time
	total  int64 // subscribers at its end
	joined map[string]int64
	left   map[subscriber.State]int64
}

// monthsShown is how many months the charts of subscribers show.
const monthsShown = 13

// subscriberFigures shows the growth of the list, where its subscribers came from, and why they left.
func (h *Handler) subscriberFigures(w http.ResponseWriter, r *http.Request, session store.Session) error {
	now := h.store.Now()
	first := time.Date(now.Year(), now.Month()-monthsShown+1, 1, 0, 0, 0, 0, time.UTC)
	days, err := h.store.SubscriberDays(r.Context(), first)
	if err != nil {
		return err
	}
	body := drawFigures(monthsOf(days), h.words(w).Language)
	return h.show(w, http.StatusOK, "subscriber_figures", page{Title: "Growth and churn", Nav: "subscribers", Editor: &session.Editor, Body: body})
}

// monthsOf adds up the days of each month.
func monthsOf(days []store.SubscriberDay) []subscriberMonth {
	var out []subscriberMonth
	for _, day := range days {
		month := time.Date(day.Day.Year(), day.Day.Month(), 1, 0, 0, 0, 0, time.UTC)
		if len(out) == 0 || !out[len(out)-1].month.Equal(month) {
			out = append(out, subscriberMonth{month: month, joined: map[string]int64{}, left: map[subscriber.State]int64{}})
		}
		last := &out[len(out)-1]
		last.total = day.Subscribed
		for source, n := range day.Joined {
			last.joined[source] += n
		}
		for state, n := range day.Left {
			last.left[state] += n
		}
	}
	return out
}

// drawFigures draws the charts of some months.
func drawFigures(months []subscriberMonth, l *words.Language) figuresPage {
	data := func(title, empty string) chart.Data {
		d := chart.Data{Title: title, Empty: empty, Format: func(n int64) string { return l.Number(n) }}
		for _, m := range months {
			d.Labels, d.Ticks = append(d.Labels, l.Month(m.month)), append(d.Ticks, l.ShortMonth(m.month))
		}
		return d
	}
	sources, states := map[string]bool{}, map[subscriber.State]bool{}
	total := chart.Series{Name: l.Say("Subscribers")}
	for _, m := range months {
		total.Values = append(total.Values, m.total)
		for source := range m.joined {
			sources[source] = true
		}
		for state := range m.left {
			states[state] = true
		}
	}
	growth := data(l.Say("Subscribers at the end of each month"), l.Say("The first figures come within five minutes."))
	joined, left := data(l.Say("New subscribers by source"), l.Say("None in these months.")), data(l.Say("Subscribers who left, by reason"), l.Say("None in these months."))
	growth.Series = []chart.Series{total}
	for _, source := range slices.Sorted(maps.Keys(sources)) {
		series := chart.Series{Name: l.Translate(nameOf(consentSource(source)))}
		for _, m := range months {
			series.Values = append(series.Values, m.joined[source])
		}
		joined.Series = append(joined.Series, series)
	}
	for _, state := range slices.Sorted(maps.Keys(states)) {
		series := chart.Series{Name: l.Translate(nameOf(state))}
		for _, m := range months {
			series.Values = append(series.Values, m.left[state])
		}
		left.Series = append(left.Series, series)
	}
	return figuresPage{chart.Lines(growth), chart.Bars(joined), chart.Bars(left)}
}
