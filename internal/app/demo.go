package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/tidings-press/tidings/internal/article/ingest"
	"github.com/tidings-press/tidings/internal/config"
	"github.com/tidings-press/tidings/internal/delivery"
	"github.com/tidings-press/tidings/internal/inbox"
	"github.com/tidings-press/tidings/internal/samples"
)

// Demo runs the whole service with sample articles and an inbox of its own.
type Demo struct {
	Keep string // folder for the store and configuration; empty for one that is removed at the end
	Port int    // of the site; the next free one when it is taken
	Out  io.Writer
	Log  *slog.Logger
}

// The default ports.
const (
	DemoPort      = 8080
	demoInboxPort = 8025
	demoSMTPPort  = 2525
)

// Run runs the demo until the context ends. It deletes everything, unless Keep names a folder.
func (d *Demo) Run(ctx context.Context) (err error) {
	fmt.Fprintln(d.Out, "Tidings demo: a small harbour town's gazette in five languages. Ctrl-C ends it.")
	dir, done, err := d.folder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	listeners, err := openDemoListeners(d.Port)
	if err != nil {
		return err
	}
	mails := inbox.New(inbox.Options{})
	defer mails.Close()
	go func() { _ = mails.ServeSMTP(listeners.smtp) }()
	stopInbox := serveInbox(listeners.inbox, mails)
	defer stopInbox()
	c := demoConfig(dir, listeners, time.Now())
	if d.Keep != "" {
		if err := keepConfig(dir, *c); err != nil {
			return err
		}
	}
	p, err := Open(ctx, c, d.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	return d.show(ctx, p, listeners)
}

// folder returns the folder of the store. done removes it, unless it is to be kept.
func (d *Demo) folder() (dir string, done func() error, err error) {
	if d.Keep != "" {
		return d.Keep, func() error { return nil }, os.MkdirAll(d.Keep, 0o755)
	}
	dir, err = os.MkdirTemp("", "tidings-demo-")
	return dir, func() error { return os.RemoveAll(dir) }, err
}

// show imports the samples, sends a first edition and serves.
func (d *Demo) show(ctx context.Context, p *Service, listeners *demoListeners) error {
	engine, err := p.Engine(ctx) // creates the digests' rows
	if err != nil {
		return err
	}
	for _, name := range p.Config.DigestNames() {
		if err := engine.SetBeginning(ctx, name, time.Time{}); err != nil { // include all samples, whatever their dates
			return err
		}
	}
	im := &ingest.Importer{Store: p.Store, Config: p.Config}
	sum, err := im.ImportFS(ctx, samples.Articles(), "samples", ingest.Options{Site: p.Config.Site.URL, Source: "samples/"})
	if err != nil {
		return err
	}
	if err := addDemoSubscribers(ctx, p); err != nil {
		return err
	}
	link, err := p.FirstOwnerLink(ctx)
	if err != nil {
		return err
	}
	if link == "" { // kept from an earlier demo, with its owner
		link = p.Config.Site.URL + "/admin/"
	}
	articles := sum.Created + sum.Updated + sum.Unchanged
	service := &Node{Service: p, HTTP: listeners.site, Ready: func() {
		fmt.Fprintf(d.Out, "%d articles, %d subscribers.\n\n", articles, len(demoSubscribers))
		fmt.Fprintf(d.Out, "  The publication   %s/\n  Its feeds         %s/feeds\n  The inbox         %s/ (of all mail that 127.0.0.1:%d gets by SMTP)\n  The admin         %s\n\n", p.Config.Site.URL, p.Config.Site.URL, listeners.inboxURL(), portOf(listeners.smtp), link)
		go d.sendFirst(ctx, p, engine)
	}}
	err = service.Run(ctx)
	if d.Keep != "" {
		fmt.Fprintf(d.Out, "\nKept in %s; continue with: tidings --config %s serve\n", d.Keep, filepath.Join(d.Keep, "config.yaml"))
	}
	return err
}

// sendFirst sends one edition at once and prints when the next one is due.
func (d *Demo) sendFirst(ctx context.Context, p *Service, engine *delivery.Engine) {
	edition, err := engine.SendNow(ctx, demoWeekly, "the demo")
	if err != nil && !errors.Is(err, delivery.ErrNothingNew) {
		p.Log.Error("the first edition was not sent", "error", err)
		return
	}
	if err == nil {
		var sent int64
		for progress := range engine.Watch(ctx, edition.ID) {
			sent = progress.Counts.Sent
			if progress.Idle() {
				break
			}
		}
		fmt.Fprintf(d.Out, "Sent now: “%s”, %d mails in the inbox.\n", edition.Subject, sent)
	}
	if next := engine.NextTicks(demoDaily, 1); len(next) > 0 {
		fmt.Fprintf(d.Out, "By schedule: the next edition of “%s” is sent at %s.\n", demoDaily, next[0].At.Format("15:04:05"))
	}
}

// keepConfig writes the configuration beside the store.
func keepConfig(dir string, c config.Config) error {
	c.Store.DSN = "sqlite:tidings.db" // relative to the file's folder
	text, err := c.YAML()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.yaml"), text, 0o600)
}

// demoListeners are the listeners of the demo, on the loopback interface only.
type demoListeners struct {
	site, inbox, smtp net.Listener
}

func openDemoListeners(port int) (*demoListeners, error) {
	site, err1 := listenNear(port)
	box, err2 := listenNear(demoInboxPort)
	mail, err3 := listenNear(demoSMTPPort)
	return &demoListeners{site, box, mail}, errors.Join(err1, err2, err3)
}

// listenNear listens on a port, or on any free port when it is taken.
func listenNear(port int) (net.Listener, error) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	return listener, err
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func (d *demoListeners) siteURL() string  { return fmt.Sprintf("http://localhost:%d", portOf(d.site)) }
func (d *demoListeners) inboxURL() string { return fmt.Sprintf("http://localhost:%d", portOf(d.inbox)) }

func serveInbox(l net.Listener, mails *inbox.Inbox) (stop func()) {
	server := &http.Server{Handler: mails.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }()
	return func() { _ = server.Close() }
}
