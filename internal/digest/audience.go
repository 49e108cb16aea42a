package digest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MessageKey begins the ScheduledFor of a message, in place of a tick's key.
const MessageKey = "message:"

// IsMessage reports whether an edition is a message: a one-off mail that no tick makes.
func (e Edition) IsMessage() bool { return strings.HasPrefix(e.ScheduledFor, MessageKey) }

// Audience is who gets a message: the active subscribers of at least one of the digests, or those
// of them in a segment.
type Audience struct {
	// Digests are the names of digests. The first one gives the sender, the number and List-Id.
	Digests []string `json:"digests"`
	Segment string   `json:"segment,omitempty"` // as ParseSegment reads it; empty for all
	// Public means that everyone may read the message on the web and in the feed of the first
	// digest's editions.
	Public bool `json:"public,omitempty"`
	// Template is the name of the mail template.
	Template string `json:"template,omitempty"`
}

// IsPublic reports whether everyone may read an edition once its sending has started. audience is
// that of a message.
func (e Edition) IsPublic(audience string) bool {
	if e.Started.IsZero() {
		return false
	}
	a, err := ParseAudience(audience)
	return !e.IsMessage() || err == nil && a.Public
}

// MaxAudience bounds the number of digests of an audience.
const MaxAudience = 50

// Check returns an error for an audience without digests, with one of them twice, or with a
// segment that cannot be read.
func (a Audience) Check() error {
	switch n := len(a.Digests); {
	case n == 0:
		return errors.New("a message needs at least one digest whose subscribers get it")
	case n > MaxAudience:
		return fmt.Errorf("a message is for at most %d digests, not %d", MaxAudience, n)
	}
	for i, name := range a.Digests {
		if slices.Contains(a.Digests[:i], name) {
			return fmt.Errorf("the digest %q is named twice", name)
		}
	}
	_, err := ParseSegment(a.Segment)
	return err
}

// Encode returns the audience as it is stored with the edition.
func (a Audience) Encode() string {
	text, _ := json.Marshal(a) // it cannot fail: it holds strings
	return string(text)
}

// ParseAudience decodes what Encode returned.
func ParseAudience(text string) (Audience, error) {
	var a Audience
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return a, fmt.Errorf("the audience of the message cannot be read: %w", err)
	}
	return a, a.Check()
}
