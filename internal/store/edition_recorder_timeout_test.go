package store_test

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidings-press/tidings/internal/digest"
	"github.com/tidings-press/tidings/internal/store"
	"github.com/tidings-press/tidings/internal/testkit"
	"github.com/tidings-press/tidings/internal/testkit/storetest"
)

// pausableProxy forwards connections to a server and withholds its answers while quiet is set, as
// if the server had vanished.
func pausableProxy(t *testing.T, server string) (address string, quiet *atomic.Bool) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	quiet = new(atomic.Bool)
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go proxyConnection(client, server, quiet)
		}
	}()
	return listener.Addr().String(), quiet
}

func proxyConnection(client net.Conn, server string, quiet *atomic.Bool) {
	defer client.Close()
	behind, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer behind.Close()
	go func() {
		_, _ = io.Copy(behind, client)
		_ = behind.Close()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := behind.Read(buf)
		if err != nil {
			return
		}
		if quiet.Load() {
			continue
		}
		if _, err := client.Write(buf[:n]); err != nil {
			return
		}
	}
}

// TestRecorderTimesOutOnASilentServer also checks that the same entry can be stored when the server
// is back.
func TestRecorderTimesOutOnASilentServer(t *testing.T) {
	t.Parallel()
	server := testkit.SharedPostgres(t)
	address, quiet := pausableProxy(t, server.Address())
	s := storetest.Reopen(t, strings.Replace(storetest.DSN(t, store.Postgres), server.Address(), address, 1), store.Options{})
	addSubscribers(t, s, "weekly", 1)
	e := approveEdition(t, s, "e1", "a1")
	r := s.NewRecorder()
	defer r.Close()
	c := claim(t, s, "n1", time.Minute)
	in := store.Intent{Chunk: c, Subscriber: dueSubscribers(t, s, c, true)[0], Nonce: 7}
	if granted, err := r.Record(t.Context(), store.RecorderEntry{Intent: &in}); !granted || err != nil {
		t.Fatal(granted, err)
	}
	r.SetTimeout(300 * time.Millisecond)
	quiet.Store(true)
	note := store.RecorderEntry{Outcome: &store.Outcome{Intent: in, State: digest.DeliverySent, Code: 250}}
	begun := time.Now()
	if _, err := r.Record(t.Context(), note); err == nil || time.Since(begun) > time.Minute {
		t.Errorf("a silent server: %v after %v", err, time.Since(begun))
	}
	quiet.Store(false)
	eventually(t, func() error {
		_, err := r.Record(t.Context(), note)
		return err
	})
	if d, err := storetest.Delivery(t, s, e, in.Subscriber); err != nil || d.State != digest.DeliverySent {
		t.Errorf("%+v, %v", d, err)
	}
}
