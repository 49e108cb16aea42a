package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/subscriber"
)

// PersonalData is everything that is stored about a subscriber.
type PersonalData struct {
	Subscriber    subscriber.Subscriber
	Subscriptions []subscriber.Subscription
	Deliveries    []digest.Delivery // of the newest editions
	Feedback      []Feedback
	Changes       []SubscriberChange
}

// maxPersonalRows bounds the deliveries, reports and changes that are listed of a subscriber.
const maxPersonalRows = 5000

// PersonalData returns everything that is stored about a subscriber, for an export to
// them, or ErrNotFound.
func (s *Store) PersonalData(ctx context.Context, id int64) (PersonalData, error) {
	var k PersonalData
	var err error
	if k.Subscriber, err = s.Subscriber(ctx, id); err != nil {
		return k, err
	}
	if k.Subscriptions, err = s.Subscriptions(ctx, id); err != nil {
		return k, err
	}
	if k.Feedback, err = s.FeedbackOf(ctx, id, maxPersonalRows); err != nil {
		return k, err
	}
	if k.Changes, err = s.SubscriberChanges(ctx, id, maxPersonalRows); err != nil {
		return k, err
	}
	err = s.readers.Each(ctx, "delivery.ofSubscriber", []any{id, maxPersonalRows}, func(rows *sql.Rows) error {
		var d digest.Delivery
		var at int64
		err := rows.Scan(&d.Edition, &d.State, &d.Reason, &d.Tries, &d.Code, &d.Reply, &at)
		d.Subscriber, d.At = id, timeOf(at)
		k.Deliveries = append(k.Deliveries, d)
		return err
	})
	return k, err
}

// WriteJSON writes the data as the JSON file that a person can download.
func (k PersonalData) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(k.copy())
}

// personalCopy is the content of the file.
type personalCopy struct {
	Address       string             `json:"address"`
	Name          string             `json:"name,omitempty"`
	State         string             `json:"state"`
	Language      string             `json:"language,omitempty"`
	MailLanguage  string             `json:"mail_language,omitempty"`
	Timezone      string             `json:"timezone,omitempty"`
	Labels        []string           `json:"labels,omitempty"`
	Created       time.Time          `json:"created"`
	Changed       time.Time          `json:"state_since"`
	Consent       consentCopy        `json:"consent"`
	Subscriptions []subscriptionCopy `json:"subscriptions"`
	Mails         []mailCopy         `json:"mails"`
	Feedback      []feedbackCopy     `json:"came_back"`
	Changes       []changeCopy       `json:"changes,omitempty"`
}

type consentCopy struct {
	Source string     `json:"source,omitempty"`
	Text   string     `json:"text,omitempty"`
	IP     string     `json:"ip,omitempty"`
	At     *time.Time `json:"at,omitempty"`
}

type subscriptionCopy struct {
	Digest string    `json:"digest"`
	Topics []string  `json:"topics,omitempty"`
	Since  time.Time `json:"since"`
}

type mailCopy struct {
	Edition string    `json:"edition"`
	State   string    `json:"state"`
	Reason  string    `json:"reason,omitempty"`
	Reply   string    `json:"reply,omitempty"`
	At      time.Time `json:"at"`
}

type feedbackCopy struct {
	Kind  string    `json:"kind"`
	Words string    `json:"words,omitempty"`
	At    time.Time `json:"at"`
}

// changeCopy leaves out the editor, who is another person.
type changeCopy struct {
	What   string    `json:"what"`
	Detail string    `json:"detail,omitempty"`
	At     time.Time `json:"at"`
}

func (k PersonalData) copy() personalCopy {
	p := &k.Subscriber
	out := personalCopy{
		Address: p.Address.String(), Name: p.Name, State: string(p.State), Language: p.Language, MailLanguage: p.MailLanguage,
		Timezone: p.Timezone, Labels: p.Labels, Created: p.Created, Changed: p.Changed,
		Consent:       consentCopy{Source: p.Consent.Source, Text: p.Consent.Text, IP: p.Consent.IP},
		Subscriptions: []subscriptionCopy{}, Mails: []mailCopy{}, Feedback: []feedbackCopy{},
	}
	if at := p.Consent.At; !at.IsZero() {
		out.Consent.At = &at
	}
	for _, s := range k.Subscriptions {
		out.Subscriptions = append(out.Subscriptions, subscriptionCopy{s.Digest, s.Topics, s.Since})
	}
	for _, d := range k.Deliveries {
		out.Mails = append(out.Mails, mailCopy{d.Edition, string(d.State), d.Reason, d.Reply, d.At})
	}
	for _, f := range k.Feedback {
		out.Feedback = append(out.Feedback, feedbackCopy{string(f.Kind), f.Text, f.At})
	}
	for _, c := range k.Changes {
		out.Changes = append(out.Changes, changeCopy{string(c.Kind), c.Detail, c.At})
	}
	return out
}
