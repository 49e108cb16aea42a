package bounce

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader is the header with the signature of the generic webhook: "t=UNIX,v1=HEX", where HEX
// is the HMAC-SHA256 of the time, a dot and the body.
const SignatureHeader = "X-Tidings-Signature"

// signatureAge is how far the time in a signature may differ from ours.
const signatureAge = 5 * time.Minute

// checkStamp checks that a signed time in seconds is not too old, and not too far ahead.
func checkStamp(stamp string, now time.Time, oldest time.Duration) error {
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if age := now.Sub(time.Unix(seconds, 0)); err != nil || age > oldest || age < -signatureAge {
		return fmt.Errorf("%w: its time %.40q is more than %v ago, or more than %v ahead", errSignature, stamp, oldest, signatureAge)
	}
	return nil
}

func webhookMAC(secret, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// generic is the webhook for senders without a format of their own, such as a script at your relay.
type generic struct {
	secret string
	now    func() time.Time
}

func newGeneric(secret string, now func() time.Time) (service, error) {
	if len(secret) < 16 {
		return nil, errors.New("a secret of at least 16 octets is needed")
	}
	return generic{secret, now}, nil
}

func (g generic) verify(_ context.Context, header http.Header, body []byte) error {
	var stamp, sum string
	for part := range strings.SplitSeq(header.Get(SignatureHeader), ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "t":
			stamp = value
		case "v1":
			sum = value
		}
	}
	got, err := hex.DecodeString(sum)
	if err != nil || !hmac.Equal(got, webhookMAC(g.secret, stamp, body)) {
		return errSignature
	}
	return checkStamp(stamp, g.now(), signatureAge)
}

// events reads {"events": [{"type": "bounce", "message_id": "…", "code": 550,
// "status": "5.1.1", "reason": "…"}]}. The types are complaint, unsubscribe, and bounce, which is
// classified by the reply. return_path may be given in place of message_id.
func (g generic) events(_ context.Context, body []byte) ([]event, error) {
	var posted struct {
		Events []json.RawMessage `json:"events"`
	}
	if err := json.Unmarshal(body, &posted); err != nil {
		return nil, fmt.Errorf("%w: %w", errFormat, err)
	}
	if posted.Events == nil { // a single event without a list would be lost without a word
		return nil, fmt.Errorf("%w: there is no list \"events\"", errFormat)
	}
	var all []event
	for i, raw := range posted.Events {
		e, err := genericEvent(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: event %d: %w", errFormat, i, err)
		}
		all = append(all, e)
	}
	return all, nil
}

func genericEvent(raw []byte) (event, error) {
	var payload struct {
		Type       string `json:"type"`
		MessageID  string `json:"message_id"`
		ReturnPath string `json:"return_path"`
		Code       int    `json:"code"`
		Status     string `json:"status"`
		Reason     string `json:"reason"`
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&payload); err != nil {
		return event{}, err
	}
	names, err := json.Marshal([]string{payload.MessageID + "@", payload.ReturnPath + "@"})
	if err != nil {
		return event{}, err
	}
	e := event{code: payload.Code, text: payload.Reason, raw: names}
	switch payload.Type {
	case "bounce":
		e.kind, _ = kindOfReply(strings.TrimSpace(strconv.Itoa(payload.Code)+" "+payload.Reason), payload.Status, false)
	case "complaint":
		e.kind = Complained
	case "unsubscribe":
		e.kind = Unsubscribed
	default:
		return event{}, fmt.Errorf("unknown type %q; use bounce, complaint or unsubscribe", payload.Type)
	}
	return e, nil
}
