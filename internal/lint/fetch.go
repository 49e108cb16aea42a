package lint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidings-press/tidings/internal/lru"
	"github.com/tidings-press/tidings/internal/picture"
	"github.com/tidings-press/tidings/internal/publicnet"
	"github.com/tidings-press/tidings/internal/words"
)

// Bounds of a check of links and images.
const (
	maxAddresses    = 200 // of one edition
	maxRedirects    = 10
	maxPage         = 64 << 10 // bytes read of a page
	maxImage        = 8 << 20  // bytes read of an image
	requestTimeout  = 10 * time.Second
	requestsAtOnce  = 8
	requestsPerHost = 2
	cachedResults   = 5000
	keepGood        = time.Hour
	keepBad         = 5 * time.Minute
)

// FetcherOptions make a Fetcher.
type FetcherOptions struct {
	Agent string           // User-Agent
	Now   func() time.Time // nil for time.Now
	// Intranet allows addresses that are not public, for a newsletter of an organisation's own
	// network.
	Intranet bool
}

// Fetcher requests the links and images of editions. Articles come from many sources, so it connects
// to public addresses only, and everything it reads is bounded. It keeps its results for a while. It
// is safe for concurrent use.
type Fetcher struct {
	client  *http.Client
	agent   string
	now     func() time.Time
	results *lru.Cache[string, result]

	mu    sync.Mutex
	hosts map[string]*host // with requests at this moment
}

// host limits the requests to one host.
type host struct {
	running chan struct{} // holds a value for each request that runs
	users   int           // requests that run or wait
}

// NewFetcher returns a Fetcher.
func NewFetcher(o FetcherOptions) *Fetcher {
	dialer := &net.Dialer{Timeout: requestTimeout}
	if !o.Intranet {
		dialer.ControlContext = func(ctx context.Context, network, address string, c syscall.RawConn) error {
			return publicnet.Control(ctx, network, address, c)
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Fetcher{
		client: &http.Client{
			Timeout: requestTimeout, // of all redirects together
			Transport: &http.Transport{ // no proxy: it would connect in place of the dialer
				DialContext: dialer.DialContext, MaxIdleConns: requestsAtOnce, IdleConnTimeout: 30 * time.Second,
				TLSHandshakeTimeout: requestTimeout, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
			},
			CheckRedirect: func(_ *http.Request, via []*http.Request) error {
				if len(via) > maxRedirects {
					return errRedirects
				}
				return nil
			},
		},
		agent: o.Agent, now: o.Now, hosts: map[string]*host{},
		results: lru.New[string](cachedResults, func(result) int64 { return 1 }, nil),
	}
}

var errRedirects = words.Errorf("more than {0} redirects", maxRedirects)

// outcome is what a request found.
type outcome string

const (
	answers   outcome = ""                // all is well
	broken    outcome = "broken"          // the address will not answer
	failing   outcome = "failing"         // it did not answer now
	unchecked outcome = "unchecked"       // the server does not answer programs, or not now
	private   outcome = "private"         // it is in a private network
	notImage  outcome = "not an image"    //
	unknown   outcome = "not checked yet" // no result in time
)

// result is the outcome of a request with the size of an image.
type result struct {
	outcome outcome
	detail  string // for people, in English
	bytes   int64  // of an image
	width   int
	at      time.Time
}

// resource is an address to request.
type resource struct {
	address string
	image   bool
}

func (r resource) key() string {
	if r.image {
		return "image " + r.address
	}
	return r.address
}

// fetch requests resources in parallel until the context ends.
func (f *Fetcher) fetch(ctx context.Context, all []resource) map[resource]result {
	var mu sync.Mutex
	out := map[resource]result{}
	var group errgroup.Group
	group.SetLimit(requestsAtOnce)
	for _, r := range all {
		if known, found := f.cached(r); found {
			mu.Lock() // requests that have begun may end now
			out[r] = known
			mu.Unlock()
			continue
		}
		group.Go(func() error {
			got, done := f.once(ctx, r)
			if !done {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			out[r] = got
			return nil
		})
	}
	_ = group.Wait() // the functions return no errors
	return out
}

// cached returns a result that is not too old.
func (f *Fetcher) cached(r resource) (result, bool) {
	known, found := f.results.Get(r.key())
	keep := keepGood
	if known.outcome != answers {
		keep = keepBad
	}
	return known, found && f.now().Sub(known.at) < keep
}

// once requests a resource and keeps the result. It returns false if the context ended first.
func (f *Fetcher) once(ctx context.Context, r resource) (result, bool) {
	u, err := url.Parse(r.address)
	if err != nil || u.Hostname() == "" {
		return result{outcome: broken, detail: words.T("the address cannot be read").String()}, true
	}
	release, ok := f.acquire(ctx, strings.ToLower(u.Host))
	if !ok {
		return result{}, false
	}
	defer release()
	got := f.request(ctx, r)
	if ctx.Err() != nil {
		return result{}, false
	}
	got.at = f.now()
	f.results.Put(r.key(), got)
	return got, true
}

// acquire waits until a host has fewer requests than its limit.
func (f *Fetcher) acquire(ctx context.Context, name string) (release func(), ok bool) {
	f.mu.Lock()
	h := f.hosts[name]
	if h == nil {
		h = &host{running: make(chan struct{}, requestsPerHost)}
		f.hosts[name] = h
	}
	h.users++
	f.mu.Unlock()
	forget := func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if h.users--; h.users == 0 {
			delete(f.hosts, name)
		}
	}
	select {
	case h.running <- struct{}{}:
		return func() { <-h.running; forget() }, true
	case <-ctx.Done():
		forget()
		return nil, false
	}
}

// request asks with HEAD, and with GET where HEAD does not settle it. Images are always read.
func (f *Fetcher) request(ctx context.Context, r resource) result {
	if !r.image {
		if got := f.do(ctx, http.MethodHead, r); got.outcome == answers || got.outcome == private {
			return got
		}
	}
	return f.do(ctx, http.MethodGet, r)
}

func (f *Fetcher) do(ctx context.Context, method string, r resource) result {
	request, err := http.NewRequestWithContext(ctx, method, r.address, nil)
	if err != nil {
		return result{outcome: broken, detail: words.T("the address cannot be read").String()}
	}
	request.Header.Set("User-Agent", f.agent)
	response, err := f.client.Do(request)
	if err != nil {
		return failed(err)
	}
	defer func() { _ = response.Body.Close() }()
	if got := judge(response.StatusCode); got.outcome != answers || method == http.MethodHead {
		return got
	}
	if r.image {
		return readImage(response)
	}
	_, _ = io.CopyN(io.Discard, response.Body, maxPage) // so that the connection can be used again
	return result{}
}

// judge returns what a status code says about an address.
func judge(status int) result {
	detail := words.T("the server answers {0}", strings.TrimSpace(fmt.Sprint(status, " ", http.StatusText(status)))).String()
	switch {
	case status < 400:
		return result{}
	case status == http.StatusNotFound || status == http.StatusGone:
		return result{outcome: broken, detail: detail}
	case status >= 500 && status != 999:
		return result{outcome: failing, detail: detail}
	}
	// Many sites refuse programs with 403, 429 or 999; others want a sign-in or another method.
	return result{outcome: unchecked, detail: detail}
}

// failed returns what an error of a request says about an address.
func failed(err error) result {
	var dns *net.DNSError
	switch {
	case errors.Is(err, publicnet.ErrPrivate):
		return result{outcome: private, detail: words.T("the address is not public").String()}
	case errors.Is(err, errRedirects):
		return result{outcome: broken, detail: words.T("{0}", errRedirects).String()}
	case errors.As(err, &dns) && dns.IsNotFound:
		return result{outcome: broken, detail: words.T("there is no host {0}", dns.Name).String()}
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		if wrapped.Timeout() {
			return result{outcome: failing, detail: words.T("no answer within {0}", requestTimeout.String()).String()}
		}
		err = wrapped.Err
	}
	return result{outcome: failing, detail: words.T("{0}", err).String()}
}

// readImage reads an image up to its size.
func readImage(response *http.Response) result {
	kind := response.Header.Get("Content-Type")
	if !strings.HasPrefix(strings.ToLower(kind), "image/") { // RFC 9110, section 8.3.1
		return result{outcome: notImage, detail: words.T("the server answers with the type {0}", fmt.Sprintf("%q", kind)).String()}
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxImage+1))
	if err != nil {
		return failed(err)
	}
	out := result{bytes: max(int64(len(data)), response.ContentLength)}
	if info, err := picture.Inspect(data); err == nil {
		out.width = info.Width
	}
	return out
}
