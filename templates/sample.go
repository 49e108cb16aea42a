package templates

import (
	"html/template"
	"time"
)

// Sample is made-up data for a digest in the language of phrases, nil for English.
// Templates are checked with it, and editors of templates can look at it.
func Sample(phrases *Phrases) Digest {
	at := time.Date(2026, time.November, 27, 8, 0, 0, 0, time.UTC)
	return Digest{
		Page:    samplePage(phrases, "The harbour after the storm"),
		Digest:  Publication{Name: "weekly", Title: "The Weekly", Description: "What we wrote this week."},
		Edition: Edition{Number: 12, Date: at},
		Articles: []Article{
			{
				ID: "a1", Title: "The harbour after the storm", URL: "https://example.org/articles/harbour", Summary: "Boats are back on the water.",
				Authors: []string{"Anna Berg", "Ben Okoye"}, Tags: []string{"harbour"}, Published: at.AddDate(0, 0, -1), Language: "en", Direction: "ltr",
				Image: &Image{URL: "https://example.org/media/harbour.jpg", Alt: "Boats at dawn", Width: 536, Height: 300},
				Body:  template.HTML("<p>Boats are back on the water.</p>"),
			},
			{
				ID: "a2", Title: "الميناء بعد العاصفة", URL: "https://example.org/articles/mina", Published: at.AddDate(0, 0, -2),
				Language: "ar", Direction: "rtl", Image: &Image{URL: "https://example.org/media/mina.jpg"},
			},
			{ID: "a3", Title: "No more than a title", URL: "https://example.org/articles/title", Direction: "ltr"},
		},
		Reader: Reader{Name: "sampleName", Address: "sampleAddress", Unsubscribe: "sampleUnsubscribe", Preferences: "samplePreferences", Web: "sampleWeb"},
	}
}

// SampleNotice is made-up data for the other mails.
func SampleNotice(phrases *Phrases) Notice {
	return Notice{
		Page:    samplePage(phrases, ""),
		Digests: []Publication{{Name: "weekly", Title: "The Weekly", Description: "What we wrote this week."}, {Name: "daily", Title: "The Daily"}},
		Name:    "Anna Berg", Address: "anna@example.org", Link: "https://example.org/confirm/sample",
		Expires: time.Date(2026, time.December, 27, 8, 0, 0, 0, time.UTC),
		Heading: "An edition waits for approval", Lines: []string{"The Weekly, No. 12, has 5 articles.", "It goes to 1,204 subscribers."}, Button: "Look at it",
		Reader: Reader{Unsubscribe: "https://example.org/unsubscribe/sample", Preferences: "https://example.org/preferences/sample"},
	}
}

func samplePage(phrases *Phrases, subject string) Page {
	if phrases == nil {
		phrases = english
	}
	return Page{
		Site:     Site{Title: "The Harbour Post", URL: "https://example.org", Icon: "https://example.org/icon.png", Postal: []string{"The Harbour Post", "1 Quay Street, Port Sample"}},
		Language: phrases.tag.String(), Direction: phrases.Direction,
		Subject: subject, Preheader: "Boats are back on the water.", phrases: phrases,
	}
}

// sampleWithoutOptional is the data with everything gone that may be missing.
func sampleWithoutOptional(data Digest) Digest {
	data.Site.Icon, data.Site.Postal, data.Preheader, data.Digest.Description = "", nil, "", ""
	data.Articles = data.Articles[2:]
	return data
}

// sampleWithMore is the data of an edition that has no room for all its articles.
func sampleWithMore(data Digest) Digest {
	for _, a := range data.Articles {
		data.More = append(data.More, Link{Title: a.Title, URL: a.URL, Language: a.Language, Direction: a.Direction})
	}
	data.Left = 7
	return data
}

func sampleNoticeWithoutOptional(data Notice) Notice {
	data.Site.Icon, data.Site.Postal, data.Digests = "", nil, nil
	data.Name, data.Expires, data.Reader = "", time.Time{}, Reader{}
	data.Lines, data.Link, data.Button = nil, "", ""
	return data
}
