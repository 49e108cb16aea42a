// Command sink is an SMTP server that accepts mail as fast as possible and counts it. Use it to test
// delivery by hand; the delivery benchmark uses the same server.
//
//	go run ./bench/sink -listen 127.0.0.1:2525 -delay 20ms
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tidings-press/tidings/internal/testkit/sink"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "sink:", err)
		os.Exit(1)
	}
}

func run() error {
	opts := sink.Options{}
	address := flag.String("listen", "127.0.0.1:2525", "address to listen on; a path with a slash is a Unix socket")
	every := flag.Duration("every", time.Second, "how often to print the counts; 0 prints them once, at the end")
	flag.DurationVar(&opts.Delay, "delay", 0, "wait before each flight of replies")
	flag.BoolVar(&opts.NoPipelining, "no-pipelining", false, "do not offer PIPELINING")
	flag.BoolVar(&opts.LMTP, "lmtp", false, "speak LMTP")
	flag.IntVar(&opts.Greylist, "greylist", 0, "refuse each recipient's first tries with 451")
	flag.IntVar(&opts.PerConnection, "per-connection", 0, "mails before a connection is closed with 421; 0 for any number")
	flag.IntVar(&opts.Connections, "connections", 0, "connections at once before 421; 0 for any number")
	flag.Func("fault", "simulate the fault `STAGE:ACTION`, such as \"RCPT:550 5.1.1 no such user\", \"dot:cut\" or \"body:hang\"; may be given again", func(text string) error {
		fault, err := sink.ParseFault(text)
		opts.Faults = append(opts.Faults, fault)
		return err
	})
	flag.Parse()
	network := "tcp"
	if len(*address) > 0 && (*address)[0] == '/' {
		network = "unix"
	}
	listener, err := net.Listen(network, *address)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := sink.Start(listener, opts)
	fmt.Fprintln(os.Stderr, "listening on", server.Addr())
	watch(ctx, server, *every)
	err = server.Close()
	fmt.Println(counts(server))
	return err
}

// watch prints the counts while they grow.
func watch(ctx context.Context, server *sink.Server, every time.Duration) {
	if every <= 0 {
		<-ctx.Done()
		return
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for last := int64(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if now := server.Tally.Mails(); now != last {
				fmt.Printf("%s, %.0f mails/s\n", counts(server), float64(now-last)/every.Seconds())
				last = now
			}
		}
	}
}

func counts(s *sink.Server) string {
	made, peak := s.Connections()
	return fmt.Sprintf("%d mails, %d recipients by number, %d of them more than once, %d bytes, %d connections (%d at once)",
		s.Tally.Mails(), s.Tally.Distinct(), s.Tally.Duplicates(), s.Tally.Bytes(), made, peak)
}
