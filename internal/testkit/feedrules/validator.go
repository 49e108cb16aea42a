package feedrules

import (
	"cmp"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// falseAlarm is a warning about correct content; docs/feeds.md lists them.
var falseAlarm = regexp.MustCompile(`Implausible date|Two entries with the same value|should not contain HTML|should not include email address|` +
	`should not contain relative URL references|Encode "&" and "<" in plain text|Invalid HTML|unknown namespace`)

// Validator returns what has a validator of somebody else's making look at the
// document at an address, and returns its complaints. FEED_VALIDATOR names the
// command, which is given the address as its last argument and ends with another
// status than 0 when it has errors or warnings; without it the test is skipped.
func Validator(t testing.TB) func(address string) string {
	t.Helper()
	command := strings.Fields(os.Getenv("FEED_VALIDATOR"))
	if len(command) == 0 {
		t.Skip("SKIPPED: no validator to ask: set FEED_VALIDATOR to a command that is given the address of a feed; see docs/feeds.md")
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
