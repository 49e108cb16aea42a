package admin

import (
	"strings"

	"github.com/tidings-press/tidings/internal/words"
)

// browsers and systems are parts of the User-Agent header and what they mean. The first that occurs
// counts: other browsers call themselves Chrome and Safari too.
var (
	browsers = [][2]string{
		{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"},
		{"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"},
	}
	systems = [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}
)

// describeAgent returns a browser's User-Agent header in words, such as "Firefox on Windows".
func describeAgent(agent string) words.Text {
	browser, system := firstWord(agent, browsers), firstWord(agent, systems)
	switch {
	case browser == "" && system == "":
		return words.T("Unknown browser")
	case system == "":
		return words.Verbatim(browser)
	case browser == "":
		return words.T("Browser on {0}", system)
	}
	return words.T("{0} on {1}", browser, system)
}

func firstWord(text string, parts [][2]string) string {
	for _, word := range parts {
		if strings.Contains(text, word[0]) {
			return word[1]
		}
	}
	return ""
}
