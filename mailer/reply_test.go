package mailer

import (
	"bufio"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func read(text string) (Reply, error) {
	return readReply(bufio.NewReader(strings.NewReader(text)), StageRcpt)
}

func TestRepliesAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Reply{
		"250 ok\r\n":                         {Stage: StageRcpt, Code: 250, Enhanced: "", Text: "ok"},
		"250\r\n":                            {Stage: StageRcpt, Code: 250, Enhanced: "", Text: ""},
		"250 2.1.5 Recipient ok\r\n":         {Stage: StageRcpt, Code: 250, Enhanced: "2.1.5", Text: "Recipient ok"},
		"550-5.1.1 No\r\n550 5.1.1 such\n":   {Stage: StageRcpt, Code: 550, Enhanced: "5.1.1", Text: "No such"},
		"550-5.7.26 a\r\n550-b\r\n550 c\r\n": {Stage: StageRcpt, Code: 550, Enhanced: "5.7.26", Text: "a b c"},
		"550 5.1.x no\r\n":                   {Stage: StageRcpt, Code: 550, Enhanced: "", Text: "5.1.x no"},
		"450 5.1.1 mixed\r\n":                {Stage: StageRcpt, Code: 450, Enhanced: "", Text: "5.1.1 mixed"},
		"550 5.1.1\r\n":                      {Stage: StageRcpt, Code: 550, Enhanced: "5.1.1", Text: ""},
		"554 bad\x00\xff\x1b[31m\r\n":        {Stage: StageRcpt, Code: 554, Enhanced: "", Text: "bad \uFFFD [31m"},
	} {
		if got, err := read(text); err != nil || got != want {
			t.Errorf("%q gives %+v (%v), want %+v", text, got, err, want)
		}
	}
}

func TestInvalidRepliesAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\r\n", "25\r\n", "hello\r\n", "150 x\r\n", "999 x\r\n", "250x\r\n", "250-a\r\n550 b\r\n", "250-a\r\n",
		"250 " + strings.Repeat("x", 5000), strings.Repeat("250-x\r\n", 200)} {
		if got, err := read(text); err == nil {
			t.Errorf("%.20q gives %+v", text, got)
		}
	}
}

func FuzzReadReply(f *testing.F) {
	f.Add("550-5.1.1 a\r\n550 5.1.1 b\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		reply, err := read(text)
		if err != nil {
			return
		}
		if reply.Code < 200 || reply.Code > 599 || len(reply.Text) > replyText || !utf8.ValidString(reply.Text) || strings.ContainsAny(reply.Text, "\x00\r\n") {
			t.Errorf("%q gives %+v", text, reply)
		}
		Classify(reply, nil)
	})
}

func TestClassesOfReplies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		stage Stage
		line  string
		want  Class
	}{
		{StageFinal, "250 2.0.0 queued", Accepted},
		{StageRcpt, "550 5.1.1 user unknown", Suppress},
		{StageFinal, "550 5.1.1 user unknown", Suppress},
		{StageRcpt, "550 5.1.2 bad domain", Suppress},
		{StageRcpt, "553 5.1.3 bad syntax", Suppress},
		{StageRcpt, "550 5.1.6 moved", Suppress},
		{StageRcpt, "556 5.1.10 null MX", Suppress},
		{StageRcpt, "550 5.1.0 address rejected", Suppress},
		{StageRcpt, "550 5.1.0 not today", Soft},
		{StageMail, "550 5.1.8 sender domain not found", OurFault},
		{StageMail, "553 5.1.7 bad sender", OurFault},
		{StageMail, "550 5.1.1 unknown", OurFault},
		{StageMail, "500 5.3.0 error", OurFault},
		{StageRcpt, "500 5.3.0 error", Soft},
		{StageRcpt, "550 5.2.1 disabled", Soft},
		{StageRcpt, "552 5.2.2 full", Soft},
		{StageFinal, "552 5.2.3 too large", OurFault},
		{StageFinal, "552 5.3.4 too large", OurFault},
		{StageRcpt, "550 5.4.1 access denied", Soft},
		{StageRcpt, "503 5.5.1 sequence", OurFault},
		{StageFinal, "554 5.6.0 content", OurFault},
		{StageRcpt, "553 5.6.7 no SMTPUTF8", Soft},
		{StageRcpt, "550 5.7.1 policy", OurFault},
		{StageFinal, "550 5.7.26 unauthenticated", OurFault},
		{StageRcpt, "450 4.2.1 busy", Later},
		{StageRcpt, "452 4.2.2 full", Later},
		{StageMail, "421 4.7.0 slow down", Later},
		{StageMail, "530 authentication required", OurFault},
		{StageMail, "554 no service", OurFault},
		{StageData, "554 no", OurFault},
		{StageFinal, "554 spam", OurFault},
		{StageRcpt, "550 No such user here", Suppress},
		{StageRcpt, "550 mailbox unavailable", Soft},
		{StageRcpt, "554 no", Soft},
		{StageRcpt, "521 host takes no mail", Suppress},
		{StageRcpt, "552 full", Soft},
		{StageRcpt, "550 5.1.7 bad sender syntax", OurFault},
		{StageRcpt, "553 5.1.8 bad sender domain", OurFault},
		{StageRcpt, "500 what", OurFault},
		{StageRcpt, "504 not here", OurFault},
		{StageRcpt, "530 log in first", OurFault},
		{StageRcpt, "555 parameters", OurFault},
		{StageRcpt, "551 moved", Soft},
		{StageRcpt, "556 null MX", Suppress},
		{StageRcpt, "550 5..1 user unknown", Suppress},  // no enhanced code, so the words count
		{StageRcpt, "550 5.1.1111 who knows", Soft},     // not an enhanced code either
		{StageRcpt, "550 4.1.1 user unknown", Suppress}, // its class differs from the reply's
	} {
		reply, err := readReply(bufio.NewReader(strings.NewReader(test.line+"\r\n")), test.stage)
		if err != nil {
			t.Fatal(err)
		}
		if got := Classify(reply, nil); got != test.want {
			t.Errorf("%s at %s is %s, want %s", test.line, test.stage, got, test.want)
		}
	}
}

func TestClassesOfBrokenConnections(t *testing.T) {
	t.Parallel()
	for stage, want := range map[Stage]Class{StageMail: Retry, StageRcpt: Retry, StageData: Retry, StageBody: Retry, StageFinal: Uncertain} {
		if got := Classify(Reply{}, &BrokenError{stage, errors.New("cut")}); got != want {
			t.Errorf("broken at %s is %s, want %s", stage, got, want)
		}
	}
	if got := Classify(Reply{}, &DialError{Kind: ErrDial}); got != Retry {
		t.Errorf("not connected is %s", got)
	}
}

func TestReplyAsText(t *testing.T) {
	t.Parallel()
	for want, reply := range map[string]Reply{
		"550 5.1.1 no":  {Code: 550, Enhanced: "5.1.1", Text: "no"},
		"250":           {Code: 250},
		"5.1.1 unknown": {Enhanced: "5.1.1", Text: "unknown"},
		"":              {},
	} {
		if got := reply.String(); got != want {
			t.Errorf("%+v is %q, want %q", reply, got, want)
		}
	}
	if (Reply{Code: 451, Enhanced: "4.7.1", Text: "Greylisted, try again later"}).Throttled() {
		t.Error("greylisting counts as a request to slow down")
	}
	if !(Reply{Code: 421}).Throttled() || !(Reply{Code: 450, Enhanced: "4.7.1"}).Throttled() || (Reply{Code: 450, Enhanced: "4.2.1"}).Throttled() {
		t.Error("a request to slow down is not recognised, or another reply is taken for one")
	}
}
