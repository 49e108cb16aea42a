package article

import "time"

// Listed reports whether readers find the article at a moment: in feeds, lists,
// searches and editions.
func (a *Article) Listed(now time.Time) bool {
	return a.Status == Published && a.out(now)
}

// Readable reports whether the article's page is shown at a moment. That of an
// unlisted article is, to those who have its address.
func (a *Article) Readable(now time.Time) bool {
	return (a.Status == Published || a.Status == Unlisted) && a.out(now)
}

func (a *Article) out(now time.Time) bool {
	return !a.Published.After(now) && (a.Expires.IsZero() || a.Expires.After(now))
}

// Scheduled is what StatusAt returns for an article that appears by itself later. No
// article is stored with it.
const Scheduled Status = "scheduled"

// Statuses are what StatusAt returns, as people are shown them.
var Statuses = []Status{Published, Scheduled, Unlisted, Draft, Withdrawn}

// StatusAt returns the status as people are shown it: one of Statuses. An article that
// was removed is withdrawn, and so is one whose time has run out.
func (a *Article) StatusAt(now time.Time) Status {
	switch {
	case a.Status == Removed, a.Status == Withdrawn:
		return Withdrawn
	case a.Status == Draft:
		return Draft
	case !a.Expires.IsZero() && !a.Expires.After(now):
		return Withdrawn
	case a.Published.After(now):
		return Scheduled
	}
	return a.Status
}
