package bounce

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/tidings-press/tidings/internal/lru"
)

// ses is the webhook of Amazon SES, whose events come through an SNS topic that signs them. SES
// replaces our Message-ID by its own; the "source" of an event is our return path.
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
			return errors.New("unexpected redirect; Amazon sends none")
		},
	}
	get := func(ctx context.Context, url string) ([]byte, error) { return fetch(ctx, client, url) }
	return &ses{topic: topic, certs: newCertificates(get), get: get, log: log}, nil
}

func (s *ses) verify(ctx context.Context, _ http.Header, body []byte) error {
	var m snsMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return fmt.Errorf("%w: %w", errSignature, err)
	}
	if m.TopicArn != s.topic {
		return fmt.Errorf("%w: unexpected topic %q", errSignature, m.TopicArn)
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

// confirm confirms the subscription to the topic by fetching SNS's URL, if it is one of Amazon's.
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

// sesEvent has the used fields of an event in both formats of SES: notifications and event publishing.
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
		SubType  string `json:"complaintSubType"`
		Feedback string `json:"complaintFeedbackType"`
	} `json:"complaint"`
	Reject struct {
		Reason string `json:"reason"`
	} `json:"reject"`
	Mail json.RawMessage `json:"mail"`
}

func sesEvents(message []byte) ([]event, error) {
	var payload sesEvent
	if err := json.Unmarshal(message, &payload); err != nil {
		return nil, fmt.Errorf("%w: %w", errFormat, err)
	}
	e := event{raw: payload.Mail}
	switch name := payload.NotificationType + payload.EventType; {
	case name == "Bounce" && sesNotSent[payload.Bounce.SubType]:
		e.note, e.text = noteSuppressed, payload.Bounce.SubType
	case name == "Bounce":
		e.kind, e.code, e.text = payload.classifyBounce()
	case name == "Complaint" && sesNotSent[payload.Complaint.SubType]:
		e.note, e.text = noteSuppressed, payload.Complaint.SubType
	case name == "Reject": // by SES, because of a virus
		e.note, e.text = noteRefused, cmp.Or(payload.Reject.Reason, "rejected by Amazon SES")
	case name == "Complaint":
		// Many providers give no type, because their feedback loops report only the spam button.
		e.kind, e.text = kindOfComplaint(cmp.Or(payload.Complaint.Feedback, "abuse")), payload.Complaint.Feedback
	}
	return []event{e}, nil
}

// snsMailText returns the JSON in a mail of an SNS topic on one line. It joins long lines, which
// Sendmail breaks by inserting an exclamation mark.
func snsMailText(text string) []byte {
	text = strings.ReplaceAll(text, "!\n ", "")
	text, _, _ = strings.Cut(text, "\n--\n") // below is how to unsubscribe from the topic
	return []byte(strings.ReplaceAll(text, "\n", ""))
}

// sesNotSent are the subtypes of bounces and complaints about mails that Amazon SES did not send: the
// address is on the suppression list of Amazon or of the account, or unsubscribed from a contact list
// of the account. No server refused such a mail, and earlier bounces there may be from mails of others.
var sesNotSent = map[string]bool{"Suppressed": true, "OnAccountSuppressionList": true, "UnsubscribedRecipient": true}

// classifyBounce returns the kind, code and text of a bounce, by the reply if there is one. A
// transient bounce without a reply does not count, as it may be an automatic reply, which SES reports
// in the same way. Bounces because of size or content do not count against the subscriber.
func (e sesEvent) classifyBounce() (Kind, int, string) {
	status, text := "", ""
	if len(e.Bounce.Recipients) > 0 {
		status, text = e.Bounce.Recipients[0].Status, strings.TrimPrefix(e.Bounce.Recipients[0].Diagnostic, "smtp; ")
	}
	kind, code := kindOfReply(text, status, e.Bounce.Type == "Permanent" && e.Bounce.SubType == "NoEmail")
	switch {
	case e.Bounce.Type == "Permanent" && text == "" && status == "":
		kind = Bounced
	case e.Bounce.Type == "Permanent":
	case e.Bounce.SubType == "MessageTooLarge" || e.Bounce.SubType == "ContentRejected" || e.Bounce.SubType == "AttachmentRejected":
		kind = ""
	case text == "" && e.Bounce.SubType != "MailboxFull":
		kind = ""
	case kind == Bounced:
		kind = Soft
	}
	return kind, code, cmp.Or(text, e.Bounce.SubType)
}

// snsMessage is the body of a request from SNS.
type snsMessage struct {
	Type             string
	MessageID        string `json:"MessageId"`
	Token            string
	TopicArn         string
	Subject          *string
	Message          string
	Timestamp        string
	SubscribeURL     string
	SignatureVersion string
	Signature        string
	SigningCertURL   string
}

// signed returns the text that SNS signs: names and values on a line each, sorted by name.
func (m *snsMessage) signed() []byte {
	var b strings.Builder
	line := func(name, value string) { b.WriteString(name + "\n" + value + "\n") }
	line("Message", m.Message)
	line("MessageId", m.MessageID)
	if m.Type == "Notification" {
		if m.Subject != nil {
			line("Subject", *m.Subject)
		}
	} else {
		line("SubscribeURL", m.SubscribeURL)
	}
	line("Timestamp", m.Timestamp)
	if m.Type != "Notification" {
		line("Token", m.Token)
	}
	line("TopicArn", m.TopicArn)
	line("Type", m.Type)
	return []byte(b.String())
}

// verify checks the signature with the certificate at the URL in the message, which must be Amazon's.
func (m *snsMessage) verify(ctx context.Context, certs *certificates) error {
	signature, err := base64.StdEncoding.DecodeString(m.Signature)
	if err != nil {
		return errSignature
	}
	key, err := certs.key(ctx, m.SigningCertURL)
	if err != nil {
		return fmt.Errorf("%w: certificate: %w", errSignature, err)
	}
	switch m.SignatureVersion {
	case "1":
		sum := sha1.Sum(m.signed())
		err = rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature)
	case "2":
		sum := sha256.Sum256(m.signed())
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	default:
		err = fmt.Errorf("signature version %q", m.SignatureVersion)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errSignature, err)
	}
	return nil
}

var snsHost = regexp.MustCompile(`^sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?$`)

// checkSNSAddress refuses a URL that is not one of SNS: https, a host of SNS, no user and no port.
func checkSNSAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	if u.Scheme != "https" || !snsHost.MatchString(u.Host) || u.User != nil {
		return fmt.Errorf("%.200q is not a URL of SNS", address)
	}
	return nil
}

// certificates caches SNS's public keys by URL. There is one for each region and year.
type certificates struct {
	get  func(ctx context.Context, url string) ([]byte, error)
	keys *lru.Cache[string, *rsa.PublicKey]
}

const maxCertificates = 50

func newCertificates(get func(ctx context.Context, url string) ([]byte, error)) *certificates {
	return &certificates{get: get, keys: lru.New[string](maxCertificates, func(*rsa.PublicKey) int64 { return 1 }, nil)}
}

func (c *certificates) key(ctx context.Context, address string) (*rsa.PublicKey, error) {
	if key, ok := c.keys.Get(address); ok {
		return key, nil
	}
	if err := checkSNSAddress(address); err != nil {
		return nil, err
	}
	data, err := c.get(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	key, err := publicKey(data)
	if err != nil {
		return nil, err
	}
	c.keys.Put(address, key)
	return key, nil
}

func publicKey(data []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("the certificate is not in PEM format")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the certificate's key is not an RSA key")
	}
	return key, nil
}

// fetch returns the first 64 KiB of a document.
func fetch(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", request.URL.Host, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, 64<<10))
}
