package app_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/subscriber"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/feedrules"
)

// serviceStore is the environment variable with the DSN for TestServiceWithFewDescriptors.
const serviceStore = "TIDINGS_TEST_SERVICE_STORE"

const fewSettings = `site: {url: http://localhost}
store: {dsn: "%s"}
digests:
- {name: weekly, schedule: '@weekly', sender: news@example.org}
relays:
- {name: main, host: 127.0.0.1, port: %s, tls: none, auth: none}
`

// TestServiceWithFewDescriptors is the child of TestIdleConnectionsStopNeitherPagesNorMail: it
// serves until its input ends.
func TestServiceWithFewDescriptors(t *testing.T) {
	at, port, child := strings.Cut(os.Getenv(serviceStore), " ")
	if !child {
		t.Skip("runs as the child of another test")
	}
	r := runOn(t, open(t, fmt.Sprintf(fewSettings, at, port)))
	fmt.Println("address", r.address)
	_, _ = os.Stdin.Read(make([]byte, 1))
}

// TestIdleConnectionsStopNeitherPagesNorMail runs a service that may open 256 files, lets a client
// open 1500 connections without using them, and then requests pages and sends an edition.
func TestIdleConnectionsStopNeitherPagesNorMail(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	inbox := testkit.StartInbox(t, testkit.InboxOptions{})
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "tidings.db")
	p := open(t, fmt.Sprintf(fewSettings, dsn, fmt.Sprint(inbox.Port())))
	s := p.Store
	engine, err := p.Engine(t.Context()) // the digest begins here
	if err != nil {
		t.Fatal(err)
	}
	fresh := feedrules.Article(1)
	fresh.Published, fresh.Updated = s.Now(), s.Now()
	putArticles(t, s, fresh)
	const readers = 40
	for i := range readers {
		sub, err := s.AddSubscriber(t.Context(), subscriber.Subscriber{Address: subscriber.MustParseAddress(fmt.Sprintf("reader%d@example.org", i)), State: subscriber.Active})
		if err == nil {
			err = s.Subscribe(t.Context(), sub.ID, "weekly", nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	address := startWithFewDescriptors(t, dsn, inbox.Port())
	for range 1500 {
		conn, err := net.DialTimeout("tcp", address, testkit.Timeout)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	for _, path := range []string{"/", "/feed.xml", "/"} {
		client := &http.Client{Timeout: testkit.Timeout, Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Get("http://" + address + path)
		if err != nil {
			t.Fatalf("%s with 1500 idle connections: %v", path, err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
	if _, err := engine.SendNow(t.Context(), "weekly", "test"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "all mails of the edition", func() bool { return len(inbox.Mails()) == readers })
}

// startWithFewDescriptors starts the service in a process of its own and returns its URL.
func startWithFewDescriptors(t *testing.T, dsn string, port int) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", `ulimit -n 256; exec "$0" -test.run '^TestServiceWithFewDescriptors$'`, os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", serviceStore, dsn, port))
	input, err1 := cmd.StdinPipe()
	output, err2 := cmd.StdoutPipe()
	cmd.Stderr = os.Stderr
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		input.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the service: %v", err)
		}
	})
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "address "); ok {
			go func() {
				for lines.Scan() { // so that the child never blocks on its output
				}
			}()
			return address
		}
	}
	t.Fatal("the service does not start")
	return ""
}
