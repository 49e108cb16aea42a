package serve_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/feed"
	"github.com/tidings-press/tidings/feed/serve"
)

// TestConnectionsComeAndGo has many clients ask for documents of their own, by
// connections that end in any way there is: nobody gets what another has asked for,
// and no descriptor is left.
func TestConnectionsComeAndGo(t *testing.T) {
	b := setup(t, func(o *serve.Options) {
		for i := range 8 {
			o.Feeds = append(o.Feeds, feed.Definition{Kind: feed.Named, Name: fmt.Sprint("f", i), Title: fmt.Sprint("Feed number ", i), Limit: 50})
		}
	})
	heavyArticles(b, 200)
	for i := range 8 {
		b.get(t, fmt.Sprintf("/feeds/f%d/feed.xml", i))
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	before := descriptors(t, "socket:", "eventpoll", "eventfd") - 1 // without the listener
	l := b.server.Lane(inner, nil)
	server := &http.Server{Handler: b.server}
	go func() { _ = server.Serve(l) }()
	var clients sync.WaitGroup
	var answers atomic.Int64
	until := time.Now().Add(2 * time.Second)
	for client := range 40 {
		clients.Go(func() {
			random := rand.New(rand.NewPCG(uint64(client), 3))
			for time.Now().Before(until) {
				answers.Add(visit(t, inner.Addr().String(), random))
			}
		})
	}
	clients.Wait()
	if answers.Load() < 100 {
		t.Errorf("%d answers in two seconds", answers.Load())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := errors.Join(server.Shutdown(ctx), l.Drain(ctx)); err != nil {
		t.Error(err)
	}
	for wait := time.Now(); descriptors(t, "socket:", "eventpoll", "eventfd") > before; time.Sleep(10 * time.Millisecond) {
		if time.Since(wait) > 10*time.Second {
			t.Fatalf("%d descriptors are open, before it was %d", descriptors(t, "socket:", "eventpoll", "eventfd"), before)
		}
	}
}

// visit asks some questions on one connection and returns how many were answered.
func visit(t *testing.T, address string, random *rand.Rand) (answers int64) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(conn)
	for range random.IntN(6) {
		n := random.IntN(8)
		request := fmt.Sprintf("GET /feeds/f%d/feed.xml HTTP/1.1\r\nHost: a\r\n\r\n", n)
		how := random.IntN(12)
		switch how {
		case 0: // goes in the middle of a request
			request = request[:random.IntN(len(request))]
		case 1: // goes on to net/http
			request = strings.Replace(request, "Host: a", "Host: a\r\nX-Forwarded-For: 192.0.2.1", 1)
		case 2: // goes without reading
			_ = conn.(*net.TCPConn).SetLinger(0)
		}
		if _, err := io.WriteString(conn, request); err != nil || how == 0 || how == 2 {
			return answers
		}
		response, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Error(err)
			return answers
		}
		if how == 3 { // goes in the middle of an answer
			_, _ = io.CopyN(io.Discard, response.Body, 1000)
			return answers
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || !strings.Contains(string(body), fmt.Sprintf("<title>Feed number %d", n)) {
			t.Errorf("feed %d: %v, %.300s", n, err, body)
		}
		answers++
	}
	return answers
}

// descriptors is how many this process has of some kinds.
func descriptors(t *testing.T, kinds ...string) (n int) {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		to, err := os.Readlink(link)
		if err == nil && slices.ContainsFunc(kinds, func(kind string) bool { return strings.Contains(to, kind) }) {
			n++
		}
	}
	return n
}

func TestSheetsGoWithTheirDocuments(t *testing.T) {
	b := setup(t, nil)
	_, address := looped(t, b)
	for i := range 20 {
		heavyArticles(b, 600+i)
		b.get(t, "/feed.xml")
		conn := dial(t, address)
		say(t, conn, plainRequest)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(read(t, response)); n < 500_000 {
			t.Fatalf("a body of %d bytes", n)
		}
		if n := descriptors(t, "memfd:feed"); n == 0 {
			t.Fatal("a large body has no sheet")
		}
	}
	for wait := time.Now(); descriptors(t, "memfd:feed") > 1; time.Sleep(10 * time.Millisecond) {
		if time.Since(wait) > 10*time.Second {
			t.Fatalf("there are %d sheets of one document", descriptors(t, "memfd:feed"))
		}
		runtime.GC()
	}
}

// TestALaneOutlivesALackOfDescriptors runs a lane in a process that may open few
// files, and more clients than that.
func TestALaneOutlivesALackOfDescriptors(t *testing.T) {
	if os.Getenv("LANE_OF_FEW") != "" {
		laneOfFew(t)
		return
	}
	t.Parallel()
	cmd := exec.Command("sh", "-c", `ulimit -n 40; exec "$0" -test.run '^TestALaneOutlivesALackOfDescriptors$'`, os.Args[0])
	cmd.Env = append(os.Environ(), "LANE_OF_FEW=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		in.Close()
		_ = cmd.Wait()
	}()
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn
	for range 60 {
		conns = append(conns, dial(t, strings.TrimSpace(address)))
	}
	answered := func(conn net.Conn, request string, status int, within time.Duration) bool {
		_ = conn.SetDeadline(time.Now().Add(within))
		say(t, conn, request)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		return err == nil && response.StatusCode == status
	}
	if !answered(conns[0], plainRequest, http.StatusOK, 10*time.Second) {
		t.Error("who came first is not answered")
	}
	if !answered(conns[1], "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", http.StatusNotFound, 10*time.Second) {
		t.Error("who asks net/http is not answered")
	}
	if answered(conns[59], plainRequest, http.StatusOK, time.Second) {
		t.Fatal("who came last is answered: there was no lack")
	}
	for _, conn := range conns[:59] {
		conn.Close()
	}
	if !answered(dial(t, strings.TrimSpace(address)), plainRequest, http.StatusOK, 10*time.Second) {
		t.Error("when there are descriptors again, nobody is let in")
	}
}

// laneOfFew serves until nobody listens.
func laneOfFew(t *testing.T) {
	b := setup(t, nil)
	b.get(t, "/feed.xml")
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := b.server.Lane(inner, nil)
	go func() { _ = (&http.Server{Handler: b.server}).Serve(l) }()
	fmt.Println(inner.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = l.Close()
}
