package mailer

// Reply is an answer of a server.
type Reply struct {
	Stage    Stage
	Code     int    // three digits; 0 for none
	Enhanced string // RFC 3463, such as "5.1.1"; empty if not given
	Text     string // without codes, lines joined by a space, bounded
}

// OK says whether the server agreed: 2xx, or 354 to DATA.
func (r Reply) OK() bool { return r.Code >= 200 && r.Code < 400 }

// String is the reply on one line, as it is recorded.
func (r Reply) String() string { return "" }

// Throttled says whether the server asks to slow down: 421 or 4.7.x.
func (r Reply) Throttled() bool { return false }
