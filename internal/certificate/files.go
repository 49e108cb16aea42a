package certificate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

// readEvery is the time between two reads of the files of a certificate.
const readEvery = 10 * time.Second

// Files is a certificate in two files, which are read again when they change.
type Files struct {
	options FileOptions
	current atomic.Pointer[tls.Certificate]
	used    [sha256.Size]byte // sum of the files of current
	refused [sha256.Size]byte // sum of files with an error that was logged
	pending [sha256.Size]byte // sum of files with an error that is not logged yet
	missing bool              // a file cannot be read, which was logged
}

// FileOptions are the options of OpenFiles.
type FileOptions struct {
	CertFile, KeyFile string        // in PEM format
	Host              string        // of the site
	Every             time.Duration // between two reads of the files; 10 s when 0
	Log               *slog.Logger
}

// OpenFiles reads a certificate and its key.
func OpenFiles(o FileOptions) (*Files, error) {
	o.Every = cmp.Or(o.Every, readEvery)
	p, err := readPair(o.CertFile, o.KeyFile)
	if err != nil {
		return nil, err
	}
	f := &Files{options: o}
	f.use(p)
	return f, nil
}

// TLSConfig returns the TLS settings of the site.
func (f *Files) TLSConfig() *tls.Config {
	return newTLSConfig(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current.Load(), nil })
}

// Challenges returns next: files need no answers to an authority.
func (f *Files) Challenges(next http.Handler) http.Handler { return next }

// Run reads the files again when they change, until the context ends.
func (f *Files) Run(ctx context.Context) {
	ticker := time.NewTicker(f.options.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			f.reload()
		case <-ctx.Done():
			return
		}
	}
}

// reload takes a changed certificate into use. Files with an error leave the old certificate in use. Programs
// replace certificate and key one after the other, so that the two do not match for a moment: an error
// is logged when the same files have it at two reads in a row.
func (f *Files) reload() {
	p, err := readPair(f.options.CertFile, f.options.KeyFile, f.used, f.refused)
	switch {
	case err == nil:
		f.use(p)
		return
	case errors.Is(err, errUnchanged):
		f.missing = false
		return
	case p.sum == [sha256.Size]byte{}:
		if !f.missing {
			f.options.Log.Error("cannot read the certificate's files; the old certificate stays in use", "error", err)
		}
		f.missing = true
		return
	}
	if f.missing = false; p.sum != f.pending {
		f.pending = p.sum
		return
	}
	f.refused = p.sum
	f.options.Log.Error("the new certificate has an error; the old certificate stays in use", "error", err)
}

func (f *Files) use(p pair) {
	f.used, f.refused, f.pending, f.missing = p.sum, [sha256.Size]byte{}, [sha256.Size]byte{}, false
	f.current.Store(p.certificate)
	info := infoOf(p.certificate.Leaf)
	f.options.Log.Info("serving a certificate", "file", f.options.CertFile, "issuer", info.Issuer, "hosts", info.Hosts, "until", info.Until)
	if err := p.certificate.Leaf.VerifyHostname(f.options.Host); err != nil {
		f.options.Log.Warn("the certificate is not for the site's host: browsers will refuse it", "file", f.options.CertFile, "host", f.options.Host, "hosts", info.Hosts)
	}
	if now := time.Now(); now.After(info.Until) || now.Before(info.From) {
		f.options.Log.Warn("the certificate is not valid at this time: browsers will refuse it", "file", f.options.CertFile, "from", info.From, "until", info.Until)
	}
}
