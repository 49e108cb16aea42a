package feed_test

import (
	"os/exec"
	"testing"

	"github.com/tidings-press/tidings/feed"
)

func TestAtomMatchesGrammarOfRFC4287(t *testing.T) {
	t.Parallel()
	jing := requireProgram(t, "jing", "jing")
	args := append([]string{"-c", "testdata/atom.rnc"}, files(t, feed.FormatAtom)...)
	if out, err := exec.Command(jing, args...).CombinedOutput(); err != nil {
		t.Errorf("jing: %v\n%s", err, out)
	}
}

func TestXMLIsWellFormedForXmllint(t *testing.T) {
	t.Parallel()
	xmllint := requireProgram(t, "xmllint", "libxml2-utils")
	for _, f := range []feed.Format{feed.FormatRSS, feed.FormatAtom} {
		args := append([]string{"--noout", "--nonet"}, files(t, f)...)
		if out, err := exec.Command(xmllint, args...).CombinedOutput(); err != nil {
			t.Errorf("xmllint: %v\n%s", err, out)
		}
	}
}
