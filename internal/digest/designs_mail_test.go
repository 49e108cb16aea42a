package digest

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/mailer"
)

// mailValues are the values of a subscriber.
var mailValues = Placeholders{
	Name: "Mia Lind", Address: "mia@reader.example", Unsubscribe: "https://post.example/unsubscribe/9d8f7a6b5c4e3f2a",
	Preferences: "https://post.example/preferences/9d8f7a6b5c4e3f2a", Web: "https://post.example/digests/weekly/12/",
}

// designMail returns the mail of a design as it is sent to a subscriber.
func designMail(t *testing.T, design, lang string) (Variant, []byte) {
	t.Helper()
	v := mustRender(t, designInput(design, lang, "https://post.example", true), Preferences{})
	compiled, err := mailer.Compile(mailer.Message{
		From: mailer.Address{Name: "The Weekly", Email: "news@post.example"}, To: mailer.Address{Email: v.Placeholders.Address}, Subject: v.Subject,
		MessageID: "12." + design + "." + lang + "@post.example", Date: testTime, HTML: v.HTML, Text: v.Text, Placeholders: v.Placeholders.All(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return v.Fill(mailValues), compiled.Render(nil, mailValues.All())
}

// maxSpamScore is the most that SpamAssassin may give a design. From 5 on a mail is spam.
const maxSpamScore = 1.0

// gtube is what SpamAssassin takes for spam in any mail, to test that it works.
const gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

// TestDesignsAreNotClassifiedAsSpam asks SpamAssassin about each design, with its local rules only.
func TestDesignsAreNotClassifiedAsSpam(t *testing.T) {
	t.Parallel()
	testkit.Slow(t) // runs SpamAssassin
	program, err := exec.LookPath("spamassassin")
	if err != nil {
		t.Skip("SKIPPED: SpamAssassin is not installed (apt-get install spamassassin)")
	}
	var box bytes.Buffer
	add := func(mail []byte) {
		box.WriteString("From news@post.example Fri Nov 27 08:00:00 2026\n")
		box.Write(bytes.ReplaceAll(bytes.ReplaceAll(mail, []byte("\r\n"), []byte("\n")), []byte("\nFrom "), []byte("\n>From ")))
		box.WriteString("\n\n")
	}
	var names []string
	for _, design := range designs {
		for _, lang := range []string{"en", "ar", "ja"} {
			_, mail := designMail(t, design, lang)
			add(mail)
			names = append(names, design+"."+lang)
		}
	}
	add([]byte("From: a@post.example\nMessage-ID: <spam@post.example>\nSubject: x\n\n" + gtube + "\n"))
	cmd := exec.CommandContext(t.Context(), program, "--local", "--mbox", "--cf=use_bayes 0", "--cf=report_safe 0", "--cf=add_header all Score _SCORE_ _TESTSSCORES_")
	cmd.Env, cmd.Stdin = append(os.Environ(), "HOME="+t.TempDir()), &box
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	scores := map[string]string{} // by Message-ID; the mails come in any order
	for _, mail := range strings.Split(string(out), "From news@post.example")[1:] {
		if id, score := messageID.FindStringSubmatch(mail), spamScore.FindString(mail); id != nil {
			scores[id[1]] = strings.Join(strings.Fields(score), " ")
		}
	}
	for _, name := range append(names, "spam") {
		_, value, _ := strings.Cut(scores[name], ": ")
		value, _, _ = strings.Cut(value, " ")
		score, err := strconv.ParseFloat(value, 64)
		t.Logf("%s: %s", name, scores[name])
		if spam := name == "spam"; err != nil || spam != (score >= maxSpamScore) {
			t.Errorf("%s: the score is %s (%v)", name, value, err)
		}
	}
}

var (
	messageID = regexp.MustCompile(`(?im)^Message-ID: <(?:12\.)?([a-z.]+)@`)
	// spamScore matches the header with the score and the rules that apply.
	spamScore = regexp.MustCompile(`(?m)^X-Spam-Score: [^\n]*(?:\n[\t ][^\n]*)*`)
)
