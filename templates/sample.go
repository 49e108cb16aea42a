package templates

import (
	"html/template"
	"time"
)

// Sample returns sample data of a digest in the language of phrases; nil means English. It is used to
// check templates and for previews.
func Sample(phrases *Phrases) Digest {
	at := time.Date(2026, time.November, 27, 8, 0, 0, 0, time.UTC)
	d := Digest{
		Page:    samplePage(phrases, "The harbour after the storm"),
		Digest:  Publication{Name: "weekly", Title: "The Weekly", Description: "What we wrote this week."},
		Edition: Edition{Number: 12, Date: at, URL: "https://example.org/editions/sample"},
		Articles: []Article{
			{
				ID: "a1", Title: "The harbour after the storm", URL: "https://example.org/articles/harbour", Summary: "Boats are back on the water.",
				Authors: []string{"Anna Berg", "Ben Okoye"}, Tags: []string{"harbour"}, Published: at.AddDate(0, 0, -1), Language: "en", Direction: "ltr",
				Image:          &Image{URL: "https://example.org/media/harbour.jpg", Alt: "Boats at dawn", Width: 536, Height: 300},
				Body:           template.HTML("<p>Boats are back on the water.</p>"),
				ReadingMinutes: 4, Portrait: &Image{URL: "https://example.org/media/anna.jpg", Width: 40, Height: 40}, Source: "The Coast Review",
			},
			{
				ID: "a2", Title: "الميناء بعد العاصفة", URL: "https://example.org/articles/mina", Published: at.AddDate(0, 0, -2),
				Language: "ar", Direction: "rtl", Image: &Image{URL: "https://example.org/media/mina.jpg"}, Form: "summary", ReadingMinutes: 1,
			},
			{ID: "a3", Title: "No more than a title", URL: "https://example.org/articles/title", Direction: "ltr", Form: "title"},
		},
		Reader: Reader{Name: "sampleName", Address: "sampleAddress", Unsubscribe: "sampleUnsubscribe", Preferences: "samplePreferences", Web: "sampleWeb"},
		Intro:  "<p>Good morning from the quay.</p>", IntroText: "Good morning from the quay.",
		Outro: "<p>See you next week.</p>", OutroText: "See you next week.",
		Sponsor: &Sponsor{
			Label: "Advertisement", HTML: "<p>Ropes that hold.</p>", Text: "Ropes that hold.", URL: "https://example.net/ropes",
			Image: &Image{URL: "https://example.net/ropes.png", Alt: "Ropes", Width: 536, Height: 120},
		},
		Next:     at.AddDate(0, 0, 7),
		Feedback: Feedback{Yes: "https://example.org/digests/weekly/12/feedback/yes", No: "https://example.org/digests/weekly/12/feedback/no"},
		Forward:  "https://example.org/subscribe?digest=weekly", Reply: true,
	}
	d.Sections = []Section{{Key: "harbour", Heading: "Harbour", Articles: d.Articles[:1]}, {Key: "briefly", Heading: "Briefly", Form: "title", Articles: d.Articles[1:]}}
	return d
}

// SampleNotice returns sample data for the mails other than digests.
func SampleNotice(phrases *Phrases) Notice {
	return Notice{
		Page:    samplePage(phrases, ""),
		Digests: []Publication{{Name: "weekly", Title: "The Weekly", Description: "What we wrote this week."}, {Name: "daily", Title: "The Daily"}},
		Name:    "Anna Berg", Address: "anna@example.org", Link: "https://example.org/confirm/sample",
		Expires: time.Date(2026, time.December, 27, 8, 0, 0, 0, time.UTC),
		Heading: "An edition waits for approval", Lines: []string{"The Weekly, No. 12, has 5 articles.", "It goes to 1,204 subscribers."}, Button: "Look at it", Links: []NoticeLink{{Text: "Hold it", URL: "https://example.org/admin/hold/sample"}},
		Reader: Reader{Unsubscribe: "https://example.org/unsubscribe/sample", Preferences: "https://example.org/preferences/sample"},
	}
}

func samplePage(phrases *Phrases, subject string) Page {
	if phrases == nil {
		phrases = english
	}
	return Page{
		Site: Site{
			Title: "The Harbour Post", URL: "https://example.org", Icon: "https://example.org/icon.png", Postal: []string{"The Harbour Post", "1 Quay Street, Port Sample"},
			Brand: sampleBrand(),
		},
		Language: phrases.tag.String(), Direction: phrases.Direction,
		Subject: subject, Preheader: "Boats are back on the water.", phrases: phrases,
	}
}

func sampleBrand() Brand {
	return Brand{
		Logo:   &Image{URL: "https://example.org/logo.png", Alt: "The Harbour Post", Width: 160, Height: 40},
		Header: &Image{URL: "https://example.org/header.png", Alt: "", Width: 600, Height: 120},
		Light:  Colors{Accent: "#1d4e89"}, HeadingFont: "Iowan Old Style", TextFont: "Avenir Next",
		Social: []Profile{{Name: "Mastodon", URL: "https://social.example/@post"}, {Name: "Bluesky", URL: "https://blue.example/post"}},
		Footer: "<p>Printed on the quay since 1911.</p>", FooterText: "Printed on the quay since 1911.", Imprint: "https://example.org/imprint",
		Person: Person{
			Name: "Anna Berg", Role: "Editor", Portrait: &Image{URL: "https://example.org/media/anna.jpg", Width: 56, Height: 56},
			Signature: &Image{URL: "https://example.org/media/signature.png", Alt: "Anna", Width: 120, Height: 48},
		},
	}
}

// sampleWithoutOptional returns the data without all that is optional.
func sampleWithoutOptional(data Digest) Digest {
	data.Site.Icon, data.Site.Postal, data.Preheader, data.Digest.Description = "", nil, "", ""
	data.Site.Brand, data.Edition.URL = Brand{}, ""
	plain := data.Articles[2]
	plain.Form = ""
	data.Articles = []Article{plain}
	data.Sections = []Section{{Articles: data.Articles}}
	data.Intro, data.IntroText, data.Outro, data.OutroText = "", "", "", ""
	data.Sponsor, data.Next, data.Feedback, data.Forward, data.Reply = nil, time.Time{}, Feedback{}, "", false
	return data
}

// sampleWithMore returns the data of an edition that is too large to show all its articles in full.
func sampleWithMore(data Digest) Digest {
	for _, a := range data.Articles {
		data.More = append(data.More, Link{Title: a.Title, URL: a.URL, Language: a.Language, Direction: a.Direction})
	}
	data.Left = 7
	return data
}

func sampleNoticeWithoutOptional(data Notice) Notice {
	data.Site.Icon, data.Site.Postal, data.Digests, data.Site.Brand = "", nil, nil, Brand{}
	data.Name, data.Expires, data.Reader = "", time.Time{}, Reader{}
	data.Lines, data.Link, data.Button = nil, "", ""
	return data
}
