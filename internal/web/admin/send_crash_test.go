package admin_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// server is a process that runs the real binary for a site whose node has ended.
type server struct {
	*site
	binary, config string
	cmd            *exec.Cmd
	output         bytes.Buffer
}

func (s *site) asProcess() *server {
	s.t.Helper()
	p := &server{site: s, binary: filepath.Join(s.t.TempDir(), "tidings"), config: filepath.Join(s.t.TempDir(), "config.yaml")}
	if out, err := exec.Command("go", "build", "-o", p.binary, "../../../cmd/tidings").CombinedOutput(); err != nil {
		s.t.Fatalf("go build: %v\n%s", err, out)
	}
	text := s.text + fmt.Sprintf("server: {listen: %q}\n", strings.TrimPrefix(s.url, "http://"))
	text = strings.Replace(text, "uncertain: hold", "lease: 1s, uncertain: resend", 1)
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.stop()
	s.t.Cleanup(func() {
		if p.kill(); s.t.Failed() {
			s.t.Logf("output of the server:\n%s", p.output.Bytes())
		}
	})
	return p
}

// startServer starts the process and waits until it answers.
func (p *server) startServer() {
	p.t.Helper()
	p.cmd = exec.Command(p.binary, "--config", p.config, "serve")
	p.cmd.Stderr = &p.output
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.eventually("the server", func() bool {
		answer, err := http.Get(p.url + "/admin/sign-in")
		if err != nil {
			return false
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

func (p *server) kill() {
	if p.cmd != nil && p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	}
}

// TestServerKilledDuringSendNowSendsOnce kills the server while an editor's request to send is carried
// out, while the edition waits for an undo, and while it is sent. The editor sends the form again, as a
// browser does when a page is reloaded.
func TestServerKilledDuringSendNowSendsOnce(t *testing.T) {
	testkit.Slow(t)
	const people = 100
	for _, engine := range storetest.Engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			s := startSite(t, on(engine), undo(2*time.Second), perSecond(100))
			s.addSubscribers(people)
			e := s.owner()
			p := s.asProcess()
			p.startServer()
			const path = "/admin/digests/weekly/send"
			e.get(path)
			form := []string{"sure", "weekly", "shown", e.hidden("shown"), "request", e.hidden("request")}
			for range 4 {
				lost := make(chan struct{})
				go func() {
					defer close(lost)
					e.tryPost(path, form...)
				}()
				time.Sleep(rand.N(40 * time.Millisecond)) // at any moment of the request
				p.kill()
				<-lost
				p.startServer()
			}
			e.post(path, form...)
			here := e.at
			if !strings.HasPrefix(here, "/admin/editions/") {
				t.Fatalf("sent again, the form leads to %s: %d\n%s", here, e.code, e.body)
			}
			p.kill() // while it waits
			p.startServer()
			s.eventually("the first mails", func() bool { return s.readersMailed() > 10 })
			p.kill() // while it is sent
			p.startServer()
			s.eventually("the page to show that it is sent", func() bool { return strings.Contains(e.get(here), `class="state sent"`) })
			p.kill()
			s.start(s.Config)
			s.wantSentOnce(strings.TrimPrefix(here, "/admin/editions/"), people)
		})
	}
}

// tryPost sends a form and ignores the answer.
func (e *editor) tryPost(path string, form ...string) {
	values := url.Values{}
	for i := 0; i+1 < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	if answer, err := e.client.PostForm(e.site+path, values); err == nil {
		_ = answer.Body.Close()
	}
}

// wantSentOnce checks that an edition is the only one, and that n subscribers got it; those whose mail
// was in doubt may have it twice.
func (s *site) wantSentOnce(id string, n int) {
	s.t.Helper()
	all, err := s.Store.Editions(s.t.Context(), "", 10)
	if err != nil || len(all) != 1 || all[0].ID != id || all[0].State != digest.Sent {
		s.t.Fatalf("editions %+v, %v", all, err)
	}
	doubted, err := s.Store.EverUncertain(s.t.Context(), all[0], 0, n)
	if err != nil {
		s.t.Fatal(err)
	}
	twice := map[string]bool{}
	for _, d := range doubted {
		twice[d.Address] = true
	}
	got := s.inbox.Received()
	for i := range n {
		address := fmt.Sprintf("reader%d@example.org", i)
		if mails := got[address]; mails != 1 && !(mails == 2 && twice[address]) {
			s.t.Errorf("%s got %d mails", address, mails)
		}
	}
}
