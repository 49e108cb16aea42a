package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/tidings-press/tidings/internal/app"
	"github.com/tidings-press/tidings/internal/config"
)

const serveLong = `Serve runs the whole service: pages, feeds, the admin and the delivery of digests. Any number
of serve and worker processes may run on one PostgreSQL store.

SIGTERM and Ctrl-C stop it gracefully: requests are answered, mails in progress are finished and
recorded. A second signal stops it at once; no mail is lost then either, and those with an
uncertain outcome are listed. SIGHUP reloads the configuration; docs/configuration.md lists what
a reload changes.

With --dev each request reads templates and phrases again if their files have changed. If one has an
error, the old ones stay in use, and the log and the admin show its file and line.`

func newServe(a *cli) *cobra.Command {
	var development bool
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Run the service: pages, feeds, the admin and mail",
		Long:    serveLong,
		Example: "  tidings serve\n  tidings serve --dev\n  tidings --config /etc/tidings/config.yaml serve",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
				pages, redirects, err := p.OpenListeners()
				if err != nil {
					return err
				}
				return a.serve(c.Context(), &app.Node{Service: p, HTTP: pages, Redirects: redirects, Development: development, Ready: func() { a.welcome(c.Context(), p, pages) }})
			})
		},
	}
	cmd.Flags().BoolVar(&development, "dev", false, "show changed templates and phrases at once, for work on them")
	return cmd
}

const workerLong = `Worker sends digests without serving pages. Run it on other machines, with the same PostgreSQL
store and the same settings, to send to a large list faster.`

func newWorker(a *cli) *cobra.Command {
	return &cobra.Command{
		Use:     "worker",
		Short:   "Send mail without serving pages",
		Long:    workerLong,
		Example: "  tidings worker",
		Args:    exactly(),
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c.Context(), func(p *app.Service) error {
				return a.serve(c.Context(), &app.Node{Service: p})
			})
		},
	}
}

// serve runs a node until a signal stops it.
func (a *cli) serve(ctx context.Context, s *app.Node) error {
	reload := make(chan *config.Config)
	s.Reload = reload
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	go func() {
		for range hangups {
			c, err := a.config()
			if err != nil {
				s.Service.Log.Error("the new settings have errors; the old ones stay in use", "error", err.Error())
				continue
			}
			a.warnOfSettings(c, s.Service.Log)
			select {
			case reload <- c:
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() {
		<-ctx.Done()
		a.stopSignals() // a second signal ends the process at once
	}()
	slog.SetDefault(s.Service.Log) // what watches folders logs there
	a.warnOfSettings(s.Service.Config, s.Service.Log)
	err := s.Run(ctx)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return err
}

// warnOfSettings logs the warnings that "config check" prints.
func (a *cli) warnOfSettings(c *config.Config, log *slog.Logger) {
	for _, w := range c.SettingWarnings() {
		log.Warn("check this setting", "setting", w.Key, "problem", w.Error())
	}
	for _, w := range c.SecurityWarnings() {
		log.Warn("insecure setting", "setting", w.Key, "problem", w.Error())
	}
}

// welcome logs the service's address, and prints the link for the first editor.
func (a *cli) welcome(ctx context.Context, p *app.Service, listener net.Listener) {
	p.Log.Info("serving", "address", listener.Addr().String())
	link, err := p.FirstOwnerLink(ctx)
	if err != nil {
		p.Log.Error("cannot make the link for the first editor", "error", err)
		return
	}
	if link != "" {
		fmt.Fprintf(a.stderr, "The admin has no owner yet. Open this link once to become its owner:\n  %s\n", link)
	}
}
