package lint_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tidings-press/tidings/internal/lint"
	"github.com/tidings-press/tidings/internal/testkit"
)

// spamEdition returns an edition with a whole message.
func spamEdition() lint.Edition {
	e := sound()
	e.Variants[0].Message = []byte("From: news@gazette.example\r\nTo: subscriber@example.org\r\nSubject: The week\r\nDate: Fri, 27 Nov 2026 08:00:00 +0000\r\n" +
		"Message-ID: <1@gazette.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe ferry waited, and then it sailed.\r\n")
	return e
}

// startSpamd starts a server that reads one request and gives an answer, and returns its address.
func startSpamd(t *testing.T, answer string) lint.SpamAssassin {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r := textproto.NewReader(bufio.NewReader(conn))
			if line, _ := r.ReadLine(); strings.HasPrefix(line, "REPORT SPAMC/") {
				header, _ := r.ReadMIMEHeader()
				length, _ := strconv.Atoi(header.Get("Content-Length"))
				_, _ = io.CopyN(io.Discard, r.R, int64(length))
				_, _ = io.WriteString(conn, answer)
			}
			_ = conn.Close()
		}
	}()
	return lint.SpamAssassin(listener.Addr().String())
}

func TestSpamScoreOverTheLimitsIsFound(t *testing.T) {
	t.Parallel()
	const report = "Content analysis details: (%[1]s points, 5.0 required)\r\n\r\n 0.5 HTML_MESSAGE  HTML\r\n %[1]s BIG_WORDS  Big words\r\n-0.1 DKIM_VALID  signed\r\n"
	for points, want := range map[string]string{"1.9": "[]", "2.0": "[]", "2.1": "[spam-raised]", "5.0": "[spam-raised]", "5.1": "[spam-high]", "-1.5": "[]"} {
		assassin := startSpamd(t, fmt.Sprintf("SPAMD/1.1 0 EX_OK\r\nSpam: False ; %s / 5.0\r\n\r\n"+report, points))
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/checkv2" && r.Method == http.MethodPost {
				fmt.Fprintf(w, `{"score": %s, "required_score": 15, "symbols": {"BIG_WORDS": {"score": %[1]s}, "GOOD": {"score": -3}}}`, points)
			}
		}))
		defer web.Close()
		for _, filter := range []lint.Filter{assassin, lint.Rspamd(web.URL + "/")} {
			got := lint.CheckSpam(t.Context(), filter, spamEdition())
			if fmt.Sprint(names(got)) != want {
				t.Errorf("%s, %s points: %+v, want %s", filter, points, got, want)
			}
			if len(got) > 0 && !strings.Contains(got[0].Message, "gives "+points+" points: BIG_WORDS ("+points+")") {
				t.Errorf("%s: %s", filter, got[0].Message)
			}
		}
	}
}

func TestSpamFilterWithoutAnswerGivesAWarning(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	defer wrong.Close()
	for name, filter := range map[string]lint.Filter{
		"no server": lint.SpamAssassin(strings.TrimPrefix(closed.URL, "http://")), "an error": startSpamd(t, "SPAMD/1.0 76 EX_PROTOCOL\r\n\r\n"),
		"no score": startSpamd(t, "SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\n\r\n"), "no reply": startSpamd(t, ""),
		"no web server": lint.Rspamd(closed.URL), "no score in JSON": lint.Rspamd(wrong.URL), "no URL": lint.Rspamd("::"),
	} {
		got := lint.CheckSpam(t.Context(), filter, spamEdition())
		if fmt.Sprint(names(got)) != "[spam-unchecked]" || got[0].Severity != lint.Warning {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestRealSpamAssassinScoresMails asks a spamd of Debian's package: a plain mail passes, and the
// GTUBE string, which every SpamAssassin takes for spam, does not.
func TestRealSpamAssassinScoresMails(t *testing.T) {
	t.Parallel()
	testkit.Slow(t) // starts spamd
	program, err := exec.LookPath("spamd")
	if err != nil {
		if _, err := os.Stat("/usr/sbin/spamd"); err != nil {
			t.Skip("spamd is not installed")
		}
		program = "/usr/sbin/spamd"
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(program, "--local", "--listen", "127.0.0.1", "--port", port, "--max-children", "1", "--nouser-config", "--helper-home-dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	testkit.Eventually(t, "spamd", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	filter := lint.SpamAssassin(address)
	if score, err := filter.Score(t.Context(), spamEdition().Variants[0].Message); err != nil || score.Points > 5 {
		t.Errorf("a plain mail: %+v, %v", score, err)
	}
	e := spamEdition()
	e.Variants[0].Message = append(e.Variants[0].Message, "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"...)
	got := lint.CheckSpam(t.Context(), filter, e)
	if fmt.Sprint(names(got)) != "[spam-high]" || !strings.Contains(got[0].Message, "GTUBE") {
		t.Errorf("%+v", got)
	}
}

// TestRealRspamdScoresMails asks Debian's rspamd with its own rules: a plain mail passes, and the GTUBE
// string does not.
func TestRealRspamdScoresMails(t *testing.T) {
	t.Parallel()
	testkit.Slow(t) // starts rspamd
	program, err := exec.LookPath("rspamd")
	if err != nil {
		t.Skip("SKIPPED: rspamd is not installed (apt-get install rspamd)")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	folder := t.TempDir()
	// To compile the list of all top-level domains takes it a minute, and no DNS is needed.
	settings := fmt.Sprintf(`lua = "$RULESDIR/rspamd.lua"
.include "$CONFDIR/metrics.conf"
.include "$CONFDIR/actions.conf"
.include "$CONFDIR/groups.conf"
.include "$CONFDIR/composites.conf"
options { filters = "regexp"; disable_hyperscan = true; url_tld = "%[1]s/domains"; pidfile = "%[1]s/pid"; tempdir = "%[1]s"; dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; } }
logging { type = "console"; level = "error"; }
worker "normal" { bind_socket = "%[2]s"; count = 1; task_timeout = 60s; }
`, folder, address)
	if err := errors.Join(os.Chmod(folder, 0o777), os.WriteFile(filepath.Join(folder, "domains"), []byte("com\norg\nexample\n"), 0o644), //nolint:gosec // it runs as another user
		os.WriteFile(filepath.Join(folder, "rspamd.conf"), []byte(settings), 0o644)); err != nil { //nolint:gosec // likewise
		t.Fatal(err)
	}
	args := []string{"-f", "-c", filepath.Join(folder, "rspamd.conf"), "--var=DBDIR=" + folder, "--var=RUNDIR=" + folder, "--var=LOGDIR=" + folder}
	if os.Getuid() == 0 { // it refuses to work as root
		args = append(args, "-i", "-u", "nobody", "-g", "nogroup")
	}
	cmd := exec.Command(program, args...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	filter := lint.Rspamd("http://" + address)
	testkit.Eventually(t, "rspamd", func() bool {
		response, err := http.Get(string(filter) + "/ping")
		if err == nil {
			_ = response.Body.Close()
		}
		return err == nil
	})
	if score, err := filter.Score(t.Context(), spamEdition().Variants[0].Message); err != nil || score.Points > 5 {
		t.Errorf("a plain mail: %+v, %v", score, err)
	}
	e := spamEdition()
	e.Variants[0].Message = append(e.Variants[0].Message, "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"...)
	if got := lint.CheckSpam(t.Context(), filter, e); fmt.Sprint(names(got)) != "[spam-high]" {
		t.Errorf("%+v", got)
	}
}
