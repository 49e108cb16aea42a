package bounce

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// ses gets its events from Amazon SES through an SNS topic, which signs them.
// SES has its own Message-ID on what it sends; our return path is its "source".
type ses struct {
	topic string
	certs *certificates
	get   func(ctx context.Context, url string) ([]byte, error)
	log   *slog.Logger
}

func newSES(topic string, log *slog.Logger) (service, error) {
	if !strings.HasPrefix(topic, "arn:") {
		return nil, errors.New("the secret is the ARN of the SNS topic, such as arn:aws:sns:eu-west-1:123456789012:bounces")
	}
	client := &http.Client{
		Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("a redirect, which Amazon does not send")
		},
	}
	get := func(ctx context.Context, url string) ([]byte, error) { return fetch(ctx, client, url) }
	return &ses{topic: topic, certs: &certificates{get: get}, get: get, log: log}, nil
}

func (s *ses) verify(ctx context.Context, _ http.Header, body []byte) error {
	var m snsMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return fmt.Errorf("%w: %w", errSignature, err)
	}
	if m.TopicArn != s.topic {
		return fmt.Errorf("%w: it is of topic %q", errSignature, m.TopicArn)
	}
	return m.verify(ctx, s.certs)
}

func (s *ses) events(ctx context.Context, body []byte) ([]event, error) {
	var m snsMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", errFormat, err)
	}
	if m.Type == "SubscriptionConfirmation" {
		return nil, s.confirm(ctx, m)
	}
	if m.Type != "Notification" {
		return nil, nil
	}
	return sesEvents([]byte(m.Message))
}

// confirm answers SNS's question whether we want the topic. The address is
// Amazon's, or it is not visited.
func (s *ses) confirm(ctx context.Context, m snsMessage) error {
	if err := checkSNSAddress(m.SubscribeURL); err != nil {
		return fmt.Errorf("%w: SubscribeURL: %w", errFormat, err)
	}
	if _, err := s.get(ctx, m.SubscribeURL); err != nil {
		return fmt.Errorf("confirming the subscription: %w: %w", errUnavailable, err)
	}
	s.log.Info("subscription to the SNS topic confirmed", "topic", m.TopicArn)
	return nil
}

// sesEvent is the part of an event that matters, in both of the forms that SES
// has: notifications and event publishing.
type sesEvent struct {
	NotificationType string `json:"notificationType"`
	EventType        string `json:"eventType"`
	Bounce           struct {
		Type       string `json:"bounceType"`
		SubType    string `json:"bounceSubType"`
		Recipients []struct {
			Status     string `json:"status"`
			Diagnostic string `json:"diagnosticCode"`
		} `json:"bouncedRecipients"`
	} `json:"bounce"`
	Complaint struct {
		Feedback string `json:"complaintFeedbackType"`
	} `json:"complaint"`
	Mail json.RawMessage `json:"mail"`
}

func sesEvents(message []byte) ([]event, error) {
	var said sesEvent
	if err := json.Unmarshal(message, &said); err != nil {
		return nil, fmt.Errorf("%w: %w", errFormat, err)
	}
	e := event{raw: said.Mail}
	switch said.NotificationType + said.EventType {
	case "Bounce":
		e.kind, e.code, e.text = said.bounce()
	case "Complaint":
		// Many providers give no type: their loops carry nothing but the spam button.
		e.kind, e.text = kindOfComplaint(cmp.Or(said.Complaint.Feedback, "abuse")), said.Complaint.Feedback
	}
	return []event{e}, nil
}

// sesPermanent are the kinds of permanent bounces of addresses that Amazon itself knows to
// be dead: of no mailbox, or on its list of those.
var sesPermanent = map[string]bool{"NoEmail": true, "Suppressed": true, "OnAccountSuppressionList": true}

// bounce reads the reply where there is one. A transient bounce without one may be
// an automatic reply, which SES reports alike, and those for the size or the content
// of a mail say nothing about the reader.
func (said sesEvent) bounce() (Kind, int, string) {
	status, text := "", ""
	if len(said.Bounce.Recipients) > 0 {
		status, text = said.Bounce.Recipients[0].Status, strings.TrimPrefix(said.Bounce.Recipients[0].Diagnostic, "smtp; ")
	}
	kind, code := kindOfReply(text, status, said.Bounce.Type == "Permanent" && sesPermanent[said.Bounce.SubType])
	switch {
	case said.Bounce.Type == "Permanent" && text == "" && !sesPermanent[said.Bounce.SubType] && status == "":
		kind = Bounced
	case said.Bounce.Type == "Permanent":
	case said.Bounce.SubType == "MessageTooLarge" || said.Bounce.SubType == "ContentRejected" || said.Bounce.SubType == "AttachmentRejected":
		kind = ""
	case text == "" && said.Bounce.SubType != "MailboxFull":
		kind = ""
	case kind == Bounced:
		kind = Soft
	}
	return kind, code, cmp.Or(text, said.Bounce.SubType)
}
