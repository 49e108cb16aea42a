package mailer

import (
	"strings"
	"testing"
)

// TestPhraseNotation has a phrase of each symbol, texts that it matches, and texts that it does not.
func TestPhraseNotation(t *testing.T) {
	t.Parallel()
	for phrase, c := range map[string]struct{ matches, others string }{
		"user unknown":        {"user unknown|550 User Unknown!|the user, unknown|user-unknown", "unknown user|users unknown|user is unknown|userunknown"},
		"(?:no|not) user":     {"no user|not user", "know user|no  such user"},
		"un(?:known)? user":   {"unknown user|un user", "unknow user"},
		"deliver* failed":     {"deliver failed|delivery failed|Delivering failed", "redelivery failed|delivery has failed"},
		"no ~ user":           {"no user|no such user|no such local user", "no such very local user"},
		"no _ user":           {"no user|no 1 2 3 4 5 6 user", "no 1 2 3 4 5 6 7 user"},
		"WHO full":            {"mailbox full|account full|the inbox is full; mailbox full", "bottle full"},
		"no WHO* here":        {"", "no mailboxes here"}, // WHO stands for whole words
		"gross[es]? datei":    {"gross datei|grosse datei|große datei|grosss datei", "grosses datei"},
		"boite pleine":        {"boîte pleine|BOÎTE PLEINE|boi\u0302te pleine", "boite plein"},
		"a ~ b ~ c":           {"a b c|a x y b x y c", "a x y z b c|a b x y z c"},
		"out ?of ?office":     {"out of office|outof office|out ofoffice|outofoffice", "out office"},
		"mail box full":       {"", "mail box full"}, // texts have "mailbox": phrases must too
		"mailbox over quota":  {"mail box over quota|mailbox over quota", "mail over quota"},
		"sender not ~ listed": {"sender not x listed", "sender not listed"}, // which is one word
		"notlisted":           {"not listed|Not  Listed", "is listed"},
	} {
		m := newPhraseMatcher("(?:mailbox|account)")
		m.add("\n\t"+phrase+"\n\n", 4)
		for i, list := range []string{c.matches, c.others} {
			for text := range strings.SplitSeq(list, "|") {
				if text == "" {
					continue
				}
				if got := m.find(normalizeWords(foldText(text))); (got == 4) != (i == 0) || got&^4 != 0 {
					t.Errorf("%q in %q: meaning %d, want a match: %v", phrase, text, got, i == 0)
				}
			}
		}
	}
}

// TestMeaningsOfAllPhrasesAreCollected: a text may have several phrases, and a phrase several meanings.
func TestMeaningsOfAllPhrasesAreCollected(t *testing.T) {
	t.Parallel()
	m := newPhraseMatcher("")
	m.add("mailbox full\nover quota", 1)
	m.add("over quota\nblocked", 2)
	m.add("mailbox", 8)
	for text, want := range map[string]uint16{"mailbox full": 9, "over quota": 3, "Mailbox full: over quota": 11, "blocked mailbox": 10, "full": 0, "": 0} {
		if got := m.find(normalizeWords(foldText(text))); got != want {
			t.Errorf("%q has the meanings %b, want %b", text, got, want)
		}
	}
}

func TestInvalidPhrasesStopTheProgram(t *testing.T) {
	t.Parallel()
	for _, phrase := range []string{"(?:open", "user+ unknown", "a.b"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is accepted", phrase)
				}
			}()
			newPhraseMatcher("").add(phrase, 1)
		}()
	}
}

// TestWordsOfAText: words are compared without accents, case and signs, in all scripts.
func TestWordsOfAText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"550-User_Unknown!!": " 550 user unknown ", "Größe überschritten": " grosse uberschritten ", "déjà  vu": " deja vu ", "ŁÓDŹ": " lodz ", "FÆRØ": " faero ",
		"кот’a": " кот a ", "ящик полный": " ящик полныи ", "черный ящик": " черныи ящик ", "メールボックス": " メールホックス ", "": " ", "…": " ",
		"e-mail in the block list": " email in the blocklist ", "not listed": " notlisted ", "mail": " mail ", "user name": " username ",
	} {
		if got := normalizeWords(foldText(text)); got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}
