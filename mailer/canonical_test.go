package mailer

import (
	"bytes"
	"testing"
)

func TestCanonicalBody(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                               "",
		"\r\n":                           "",
		"\r\n\r\n\r\n":                   "",
		"a":                              "a\r\n",
		" C \r\nD \t E\r\n\r\n\r\n":      " C\r\nD E\r\n", // RFC 6376, section 3.4.5
		"a  b   c\r\n    d\r\n":          "a b c\r\n d\r\n",
		"   \r\nx\r\n":                   "\r\nx\r\n",
		"x\r\n   \r\n":                   "x\r\n",
		"end  ":                          "end\r\n",
		"one\r\n\r\ntwo  three\r\n\r\n ": "one\r\n\r\ntwo three\r\n",
	} {
		if got := string(relaxedBody(nil, []byte(body))); got != want {
			t.Errorf("%q gives %q, want %q", body, got, want)
		}
	}
}

func FuzzCanonicalBody(f *testing.F) {
	f.Add([]byte("a  b\r\n c \r\n\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		fast := relaxedBody([]byte("x"), body)
		once := relaxedBody(nil, append([]byte("\t \r\n"), body...)) // the tab forces the plain way
		once = bytes.TrimPrefix(once, []byte("\r\n"))
		if len(fast) > 1 && !bytes.Equal(fast[1:], once) {
			t.Errorf("%q gives %q the fast way and %q the plain way", body, fast[1:], once)
		}
	})
}
