package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tidings-press/tidings/internal/inbox"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/sink"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// scriptTimeout bounds how long a script waits for another process.
const scriptTimeout = testkit.Timeout

type (
	inboxKey  struct{}
	testKey   struct{}
	sinkKey   struct{}
	sinkValue struct{ server *sink.Server } // nil until it is started
)

// corpusFolder returns the folder of the corpus beside the project, or "" when there is none.
func corpusFolder() string {
	folder, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "corpus"))
	if err != nil {
		return ""
	}
	return folder
}

// setupScript gives each script a store and a real mail server.
func setupScript(env *testscript.Env, engine store.Engine) error {
	if engine == store.Postgres {
		env.Setenv("TIDINGS_STORE", storetest.DSN(env.T().(testing.TB), engine))
	}
	mails, listener, err := startInbox()
	if err != nil {
		return err
	}
	env.Defer(func() { _ = mails.Close() })
	env.Defer(func() { endLeftovers(env.WorkDir) })
	env.Values[testKey{}] = env.T()
	env.Values[inboxKey{}] = mails
	env.Values[sinkKey{}] = new(sinkValue)
	_, port, err := net.SplitHostPort(listener)
	if err != nil {
		return err
	}
	web, err := freePort()
	env.Setenv("PATH", binaries+string(os.PathListSeparator)+env.Getenv("PATH"))
	env.Setenv("SMTP_PORT", port)
	env.Setenv("PORT", web)
	env.Setenv("TIDINGS_LISTEN", "127.0.0.1:"+web)
	env.Setenv("TIDINGS_URL", "http://127.0.0.1:"+web)
	env.Setenv("CORPUS", corpusFolder())
	return err
}

// endLeftovers ends the services that a failed script did not stop.
func endLeftovers(dir string) {
	files, _ := filepath.Glob(filepath.Join(dir, "*.pid"))
	for _, file := range files {
		data, _ := os.ReadFile(file)
		pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
		if err != nil {
			continue
		}
		if program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err == nil && strings.HasPrefix(program, binaries) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func startInbox() (*inbox.Inbox, string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	mails := inbox.New(inbox.Options{Messages: 10_000})
	go func() { _ = mails.ServeSMTP(listener) }()
	return mails, listener.Addr().String(), nil
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}

// condition evaluates [corpus], whether the corpus of real articles exists, and [feedparser],
// whether Debian's python3-feedparser is installed.
func condition(name string) (bool, error) {
	var err error
	switch name {
	case "corpus":
		_, err = os.Stat(corpusFolder())
	case "feedparser":
		err = exec.Command("/usr/bin/python3", "-c", "import feedparser").Run()
	default:
		return false, fmt.Errorf("unknown condition %s", name)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "SKIP: no %s here: %v\n", name, err)
	}
	return err == nil, nil
}

var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"exits":  exits,
	"mails":  waitForMails,
	"await":  await,
	"signal": sendSignal,
	"people": writePeople,
	"fetch":  fetch,
	"gone":   waitForEnd,

	"misbehave": useFaultyServer,

	"json":      runJSON,
	"setenv":    setFromOutput,
	"addeditor": addEditor,
	"database":  setDatabase,

	"dns":         startDNS,
	"certificate": writeCertificate,

	"eachonce":   eachOnce,
	"parsefeeds": parseFeeds,
}

// exits runs a command and checks its exit code: exits CODE COMMAND...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		m := regexp.MustCompile(`exit status (\d+)`).FindStringSubmatch(err.Error())
		if m == nil {
			ts.Fatalf("%v", err)
		}
		code = m[1]
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

// runJSON runs a command with --json and checks that it prints JSON values and nothing else on
// standard output: json COMMAND...
func runJSON(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(ts.Exec(args[0], append(args[1:], "--json")...))
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	values, err := 0, error(nil)
	for ; err == nil; values++ {
		var value any
		err = decoder.Decode(&value)
	}
	if err != io.EOF || values == 1 != neg {
		ts.Fatalf("%d values and %v in the output of %q:\n%s", values-1, err, args, ts.ReadFile("stdout"))
	}
}

// setFromOutput sets a variable to the first group of a pattern in the last output: setenv NAME
// PATTERN
func setFromOutput(ts *testscript.TestScript, _ bool, args []string) {
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("%s is not in the output:\n%s", args[1], ts.ReadFile("stdout"))
	}
	ts.Setenv(args[0], found[1])
}

// setDatabase sets a variable to the address of a new PostgreSQL database, for another program:
// database NAME
func setDatabase(ts *testscript.TestScript, _ bool, args []string) {
	t := ts.Value(testKey{}).(testing.TB)
	ts.Setenv(args[0], testkit.SharedPostgres(t).Database(t))
}

// addEditor adds an editor to the script's store: addeditor ADDRESS
func addEditor(ts *testscript.TestScript, _ bool, args []string) {
	s, err := store.Open(context.Background(), cmp.Or(ts.Getenv("TIDINGS_STORE"), "sqlite:"+ts.MkAbs("tidings.db")), store.Options{})
	ts.Check(err)
	token, err := s.CreateLink(context.Background(), store.Link{Purpose: store.InviteLink, Role: "owner"}, time.Hour)
	ts.Check(err)
	_, err = s.CreateEditorFromLink(context.Background(), token, store.Editor{Email: args[0]})
	ts.Check(errors.Join(err, s.Close()))
}

// useFaultyServer replaces the script's mail server by one that has a fault a number of times, and
// checks what it has counted: misbehave TIMES FAULT, then misbehave has MAILS RECIPIENTS
func useFaultyServer(ts *testscript.TestScript, _ bool, args []string) {
	if args[0] == "has" {
		tally := &ts.Value(sinkKey{}).(*sinkValue).server.Tally
		if got := fmt.Sprint(tally.Mails(), " ", tally.Distinct()); got != args[1]+" "+args[2] {
			ts.Fatalf("the server has accepted %s mails and recipients, want %s %s", got, args[1], args[2])
		}
		return
	}
	times, err := strconv.Atoi(args[0])
	ts.Check(err)
	fault, err := sink.ParseFault(args[1])
	ts.Check(err)
	fault.Times, fault.Accept = times, true
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	server := sink.Start(listener, sink.Options{Faults: []sink.Fault{fault}})
	ts.Defer(func() { _ = server.Close() })
	ts.Value(sinkKey{}).(*sinkValue).server = server
	_, port, err := net.SplitHostPort(listener.Addr().String())
	ts.Check(err)
	ts.Setenv("SMTP_PORT", port)
}

// waitForMails waits until the mail server has a number of mails: mails COUNT
func waitForMails(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	mails := ts.Value(inboxKey{}).(*inbox.Inbox)
	waitUntil(func() bool { return mails.Count() >= want })
	if got := mails.Count(); got != want {
		ts.Fatalf("%d mails were received, want %d", got, want)
	}
}

// await waits until a file contains a text that matches: await FILE PATTERN
func await(ts *testscript.TestScript, neg bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	var data []byte
	found := waitUntil(func() bool {
		data, _ = os.ReadFile(ts.MkAbs(args[0]))
		return pattern.Match(data) != neg
	})
	if !found {
		ts.Fatalf("%s never contained %s:\n%s", args[0], args[1], data)
	}
}

// sendSignal sends a signal to the process whose number is in a file: signal TERM FILE
func sendSignal(ts *testscript.TestScript, _ bool, args []string) {
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(args[1])))
	ts.Check(err)
	ts.Check(syscall.Kill(pid, map[string]syscall.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "INT": syscall.SIGINT}[args[0]]))
}

// writePeople writes a list of COUNT subscribers: people COUNT FILE
func writePeople(ts *testscript.TestScript, _ bool, args []string) {
	count, err := strconv.Atoi(args[0])
	ts.Check(err)
	var out bytes.Buffer
	fmt.Fprintln(&out, "email,name")
	for i := range count {
		fmt.Fprintf(&out, "reader%d@example.com,Reader %d\n", i, i)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out.Bytes(), 0o600))
}

// waitUntil polls until a condition holds or scriptTimeout has passed.
func waitUntil(holds func() bool) bool {
	for deadline := time.Now().Add(scriptTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return true
		}
	}
	return false
}
