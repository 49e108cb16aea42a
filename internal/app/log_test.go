package app_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/bounce"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/subscription"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

const lifeSettings = `
site: {url: "http://%[1]s", webmaster: webmaster-privperson@press.example}
digests: [{name: weekly, schedule: "* * * * * *", sender: news@press.example, subject: "{{.First.Title}}"}]
relays: [{name: main, host: 127.0.0.1, port: %[2]d, tls: none, auth: none}]
mail: {return_path_domain: press.example}
bounces: {webhooks: [{service: generic, secret: sixteen-octets-of-secret}]}
server: {access_log: true}
`

// life is a service with its log, and what the mail server took.
type life struct {
	t     *testing.T
	url   string
	press *app.Service
	smtp  *testkit.SMTPServer
	log   syncBuffer
	http  *http.Client
}

func startLife(t *testing.T) *life {
	t.Helper()
	l := &life{t: t}
	l.smtp = testkit.StartSMTPServer(t, sink.Options{Faults: []sink.Fault{
		{At: sink.AtRcpt, Match: "dora-privperson@", Reply: "550 5.1.1 <dora-privperson@readers.example> Dora Privperson: no such user here"},
	}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.url = "http://" + listener.Addr().String()
	settings := fmt.Sprintf("store: {dsn: %q}\n", storetest.DSN(t, store.SQLite)) + fmt.Sprintf(lifeSettings, listener.Addr(), l.smtp.Port())
	c, err := config.Parse([]byte(settings), filepath.Join(t.TempDir(), "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if l.press, err = app.Open(t.Context(), c, app.NewLogger(&l.log, config.Log{Level: "info", Format: "json", Clients: "network"}, false)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.press.Close() })
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	l.http = &http.Client{Jar: jar}
	runNodeOn(t, &app.Node{Service: l.press}, listener)
	return l
}

// post posts a form and requires a status.
func (l *life) post(address string, want int, form ...string) {
	l.t.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	answer, err := l.http.PostForm(address, values)
	if err != nil {
		l.t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if answer.StatusCode != want {
		l.t.Fatalf("%s answers %s: %s", strings.TrimPrefix(address, l.url), answer.Status, body)
	}
}

// linkTo waits for a mail to an address with a link of a kind, and returns the link.
func (l *life) linkTo(to, kind string) (link string) {
	l.t.Helper()
	pattern := regexp.MustCompile(regexp.QuoteMeta(l.url+kind) + `[\w.~-]+`)
	testkit.Eventually(l.t, kind+" in a mail to "+to, func() bool {
		for _, m := range l.smtp.Mails() {
			text := strings.NewReplacer("=\r\n", "", "\r\n ", "", "=3D", "=").Replace(string(m.Data))
			if strings.HasPrefix(m.To[0], to) && pattern.MatchString(text) {
				link = pattern.FindString(text)
				return true
			}
		}
		return false
	})
	return link
}

// reportBounce posts a bounce of the edition's mail to an address, as a mail service does.
func (l *life) reportBounce(to string) {
	l.t.Helper()
	var messageID string
	for _, m := range l.smtp.Mails() {
		if found := regexp.MustCompile(`(?m)^Message-ID: <(.+)>`).FindSubmatch(m.Data); strings.HasPrefix(m.To[0], to) && bytes.Contains(m.Data, []byte("List-Id:")) {
			messageID = string(found[1])
		}
	}
	body := fmt.Appendf(nil, `{"events":[{"type":"bounce","message_id":%q,"code":550,"status":"5.1.1","reason":"550 5.1.1 <%s@readers.example>: unknown"}]}`, messageID, to)
	stamp := fmt.Sprint(time.Now().Unix())
	mac := hmac.New(sha256.New, []byte("sixteen-octets-of-secret"))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	request, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.url+"/webhooks/generic", bytes.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	request.Header.Set(bounce.SignatureHeader, fmt.Sprintf("t=%s,v1=%x", stamp, mac.Sum(nil)))
	answer, err := l.http.Do(request)
	if err != nil || answer.StatusCode != http.StatusNoContent {
		l.t.Fatalf("the webhook answers %v, %v", answer, err)
	}
	answer.Body.Close()
}

// TestLogNamesNoPersonAtInfo leads subscribers and an editor through all that happens to them, and
// searches the log for their addresses and names, and for tokens of their links.
func TestLogNamesNoPersonAtInfo(t *testing.T) {
	t.Parallel()
	testkit.Slow(t)
	l := startLife(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(l.log.String())
		}
	})
	// An import, with a line that has an error and an address that does not exist.
	list, err := subscriber.OpenList(strings.NewReader("email,name\nbert-privperson@readers.example,Bert Privperson\ndora-privperson@readers.example,Dora Privperson\nbroken-privperson@@,Broken Privperson\n"), subscriber.ListOptions{})
	if err == nil {
		_, err = l.press.Subscribers().ImportList(t.Context(), list, subscription.ListImport{Consent: "asked on paper"})
	}
	if err != nil {
		t.Fatal(err)
	}
	// A subscription by the form.
	l.post(l.url+"/subscribe", http.StatusUnprocessableEntity, "email", "ada-privperson at readers", "name", "Ada Privperson")
	l.post(l.url+"/subscribe", http.StatusOK, "email", "ada-privperson@readers.example", "name", "Ada Privperson")
	confirm := l.linkTo("ada-privperson@", "/confirm/")
	l.post(confirm, http.StatusOK)
	// An edition at a tick: one mail is refused, one bounces later.
	fresh := feedrules.Article(1)
	fresh.Published, fresh.Updated = l.press.Store.Now(), l.press.Store.Now()
	putArticles(t, l.press.Store, fresh)
	unsubscribe := l.linkTo("ada-privperson@", "/unsubscribe/")
	l.linkTo("bert-privperson@", "/unsubscribe/")
	testkit.Eventually(t, "the end of the edition", func() bool { return strings.Contains(l.log.String(), `"msg":"edition sent"`) })
	l.reportBounce("bert-privperson")
	l.post(unsubscribe, http.StatusOK, "List-Unsubscribe", "One-Click")
	// An editor.
	link, err := l.press.FirstOwnerLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.post(link, http.StatusOK, "email", "olga-privperson@press.example", "name", "Olga Privperson", "password", "four random words here")
	l.post(l.url+"/admin/account/invite", http.StatusOK, "email", "eric-privperson@press.example", "role", "writer")
	l.post(l.url+"/admin/sign-out", http.StatusOK)
	l.post(l.url+"/admin/sign-in", http.StatusUnauthorized, "email", "olga-privperson@press.example", "password", "a wrong guess privperson")
	l.post(l.url+"/admin/sign-in", http.StatusUnauthorized, "email", "nemo-privperson@press.example", "password", "a wrong guess privperson")
	l.post(l.url+"/admin/forgotten", http.StatusOK, "email", "olga-privperson@press.example")
	l.post(l.url+"/admin/sign-in", http.StatusOK, "email", "olga-privperson@press.example", "password", "four random words here")

	text := l.log.String()
	for _, line := range strings.Split(text, "\n") {
		for _, personal := range []string{"privperson", "readers.example", "127.0.0.1/32", `client":"127.0.0.1"`, lastElement(confirm), lastElement(unsubscribe), lastElement(link)} {
			if strings.Contains(strings.ToLower(line), strings.ToLower(personal)) {
				t.Errorf("the log has %q: %s", personal, line)
			}
		}
		var event map[string]any
		if line != "" && json.Unmarshal([]byte(line), &event) != nil {
			t.Errorf("not an event in one line: %q", line)
		}
	}
	for _, event := range []string{
		`"msg":"edition planned"`, `"msg":"mail refused","edition":"`, `"class":"suppress","code":550,"status":"5.1.1"`, `"msg":"a mail came back"`, `"msg":"editor created"`,
		`"msg":"sign-in refused"`, `"msg":"editor signed in"`, `"path":"/subscribe","status":200`, `"path":"/confirm/…"`, `"coding":"`, `"client":"127.0.0.0/24"`, `"request":"`,
	} {
		if !strings.Contains(text, event) {
			t.Errorf("the log lacks %s", event)
		}
	}
	if line := regexp.MustCompile(`"msg":"editor signed in".*`).FindString(text); strings.Count(line, `"request":"`) != 1 {
		t.Errorf("the line of the editor has no id of its request, or two: %s", line)
	}
}

func lastElement(link string) string { return link[strings.LastIndexByte(link, '/')+1:] }

func TestLogShowsClientsAsSettingsSay(t *testing.T) {
	for clients, want := range map[string]string{"full": "client=198.51.100.7", "network": "client=198.51.100.0/24", "none": `client=""`} {
		var out bytes.Buffer
		log := app.NewLogger(&out, config.Log{Level: "info", Format: "text", Clients: clients}, true)
		log.LogAttrs(t.Context(), slog.LevelInfo, "signed in", slog.String("client", "198.51.100.7"))
		if !strings.Contains(out.String(), want) {
			t.Errorf("clients %s: %s lacks %s", clients, out.String(), want)
		}
	}
}

func TestLoggersHaveTheirOwnLevels(t *testing.T) {
	t.Parallel()
	var first, second bytes.Buffer
	one := app.NewLogger(&first, config.Log{Level: "info", Clients: "full"}, true)
	two := app.NewLogger(&second, config.Log{Level: "error", Clients: "none"}, true).With("node", "b")
	one.Info("one", "client", "198.51.100.7")
	app.SetLevel(two, config.Log{Level: "debug", Clients: "network"})
	one.Debug("unseen")
	two.WithGroup("g").Debug("two", "client", "198.51.100.7")
	if got := first.String(); !strings.Contains(got, "msg=one client=198.51.100.7") || strings.Contains(got, "unseen") {
		t.Errorf("the first logger prints %q", got)
	}
	if got := second.String(); !strings.Contains(got, "msg=two node=b g.client=198.51.100.0/24") {
		t.Errorf("the second logger prints %q", got)
	}
}

// TestLogEntryIsOneLine covers values of strangers that look like entries of their own.
func TestLogEntryIsOneLine(t *testing.T) {
	t.Parallel()
	const forged = "x\nlevel=ERROR msg=forged\r\n{\"level\":\"ERROR\"}\x1b[2J\u2028"
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		before := time.Now().Truncate(time.Second)
		app.NewLogger(&out, config.Log{Level: "warn", Format: format}, false).Warn("refused "+forged, "path", forged, forged, "key")
		entry := strings.TrimSuffix(out.String(), "\n")
		if i := strings.IndexFunc(entry, unicode.IsControl); i >= 0 || strings.Contains(entry, "\u2028") || strings.Count(entry, `"level":"`) > 1 {
			t.Errorf("%s: a control character at %d, or two entries: %q", format, i, entry)
		}
		if format == "text" {
			continue // for terminals, without the day
		}
		stamp := regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[0-9.]*(Z|[+-]\d\d:\d\d)`).FindString(entry)
		if at, err := time.Parse(time.RFC3339Nano, stamp); err != nil || at.Before(before) {
			t.Errorf("%s: the entry has no time with its zone: %q, %v", format, entry, err)
		}
	}
}
