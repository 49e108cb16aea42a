package feedrules

import (
	"cmp"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// falseAlarm matches the warnings about correct content; docs/feeds.md lists them.
var falseAlarm = regexp.MustCompile(`Implausible date|Two entries with the same value|should not contain HTML|should not include email address|` +
	`should not contain relative URL references|Encode "&" and "<" in plain text|Invalid HTML|unknown namespace`)

// Validator returns a function that checks the document at an address with an external
// validator and returns its errors and warnings. The environment variable FEED_VALIDATOR
// is the command. It gets the address as its last argument and must exit with a status
// other than 0 when it has errors or warnings. Without the variable the test is skipped.
func Validator(t testing.TB) func(address string) string {
	t.Helper()
	command := strings.Fields(os.Getenv("FEED_VALIDATOR"))
	if len(command) == 0 {
		t.Skip("SKIPPED: no validator: set FEED_VALIDATOR to a command that takes the address of a feed; see docs/feeds.md")
	}
	return func(address string) string {
		out, err := exec.CommandContext(t.Context(), command[0], append(command[1:len(command):len(command)], address)...).CombinedOutput()
		if err == nil {
			return ""
		}
		var complaints []string
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "line ") && !falseAlarm.MatchString(line) {
				complaints = append(complaints, line)
			}
		}
		if len(complaints) == 0 && strings.Contains(string(out), "line ") {
			return ""
		}
		return err.Error() + "\n" + cmp.Or(strings.Join(complaints, ""), string(out))
	}
}
