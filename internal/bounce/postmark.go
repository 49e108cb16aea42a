package bounce

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// postmark does not sign; it sends the name and password that stand in the
// webhook's address. Our Message-ID comes back when mails go out with the header
// "X-PM-KeepID: true", and in the mail that it quotes.
type postmark struct{ password string }

func newPostmark(secret string) (service, error) {
	if len(secret) < 16 {
		return nil, errors.New("a password of at least 16 octets is needed, which the webhook's address at Postmark has too")
	}
	return postmark{secret}, nil
}

func (p postmark) verify(_ context.Context, header http.Header, _ []byte) error {
	_, password, _ := (&http.Request{Header: header}).BasicAuth()
	if subtle.ConstantTimeCompare([]byte(password), []byte(p.password)) != 1 {
		return errSignature
	}
	return nil
}

// postmarkGone are the types of bounces after which Postmark itself gives an
// address up.
var postmarkGone = map[string]bool{"HardBounce": true, "BadEmailAddress": true, "ManuallyDeactivated": true}

// postmarkSoft are those that count: refusals of the reader's server. All others are
// automatic replies, blocks and troubles that are not the reader's.
var postmarkSoft = map[string]bool{"SoftBounce": true, "Transient": true}

func (p postmark) events(_ context.Context, body []byte) ([]event, error) {
	var said struct {
		RecordType      string
		Type            string
		Details         string
		Description     string
		SuppressSending bool
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return nil, fmt.Errorf("%w: %w", errFormat, err)
	}
	e := event{text: said.Details, raw: body}
	switch {
	case said.RecordType == "SpamComplaint" || said.Type == "SpamComplaint":
		e.kind = Complained
	case said.RecordType == "SubscriptionChange" && said.SuppressSending || said.Type == "Unsubscribe":
		e.kind = Unsubscribed
	case said.RecordType == "Bounce" && (postmarkGone[said.Type] || postmarkSoft[said.Type]):
		e.kind, e.code = kindOfReply(said.Details, "", postmarkGone[said.Type])
	}
	return []event{e}, nil
}
