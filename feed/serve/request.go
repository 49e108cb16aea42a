package serve

import (
	"net/http"
)

// request is what the answer depends on besides the document. It comes from an
// http.Request, or straight from the connection; see Lane.
type request struct {
	head      bool
	accept    string // Accept-Encoding
	noneMatch []string
	since     string // If-Modified-Since
	agent     string
	client    func() string // address of the client
	poller    *poller       // of the last request on the same connection; nil where that is not known
	departed  *moment       // as known before the document was looked up
}

func (s *Server) requestOf(r *http.Request) request {
	return request{
		head:      r.Method == http.MethodHead,
		accept:    r.Header.Get("Accept-Encoding"),
		noneMatch: r.Header["If-None-Match"],
		since:     r.Header.Get("If-Modified-Since"),
		agent:     r.UserAgent(),
		client:    func() string { return s.options.Client(r) },
	}
}
