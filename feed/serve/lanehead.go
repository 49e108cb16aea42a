package serve

import (
	"bytes"
	"strings"
)

// laneHead is a request's head as far as the lane understands it.
type laneHead struct {
	request
	target string
	host   string
	length int       // bytes of the head, with the empty line
	seen   headField // of those that stand in a head once
}

// headField is one of the fields that net/http takes the first of, or refuses twice:
// it is left to that.
type headField uint8

const (
	hostField headField = 1 << iota
	agentField
	acceptField
	sinceField
)

// once notes a field and reports whether it is the first of its name.
func (h *laneHead) once(f headField) bool {
	first := h.seen&f == 0
	h.seen |= f
	return first
}

// The ways in which reading a head ends.
type headState int

const (
	headPlain headState = iota // a request for the lane
	headShort                  // more bytes are needed
	headOther                  // for net/http to read: it knows what to make of it
)

// parseHead reads a request's head. It is strict and knows little on purpose: what
// is not exactly what it expects is somebody else's.
func parseHead(data []byte, into *laneHead) headState {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		if bareLineFeed(data) {
			return headOther
		}
		return headShort
	}
	*into = laneHead{length: end + 4, request: request{client: into.client, poller: into.poller, noneMatch: into.noneMatch[:0]}}
	text := string(data[:end])
	line, rest, _ := strings.Cut(text, "\r\n")
	if !into.requestLine(line) {
		return headOther
	}
	for rest != "" {
		line, rest, _ = strings.Cut(rest, "\r\n")
		if !into.field(line) {
			return headOther
		}
	}
	if into.host == "" {
		return headOther
	}
	return headPlain
}

// bareLineFeed reports whether a line ends without a carriage return, which a server
// may take for the end of one (RFC 9112, section 2.2): such a head may be complete.
func bareLineFeed(data []byte) bool {
	for i, c := range data {
		if c == '\n' && (i == 0 || data[i-1] != '\r') {
			return true
		}
	}
	return false
}

func (h *laneHead) requestLine(line string) bool {
	target, found := strings.CutPrefix(line, "GET ")
	if !found {
		if target, found = strings.CutPrefix(line, "HEAD "); !found {
			return false
		}
		h.head = true
	}
	h.target, found = strings.CutSuffix(target, " HTTP/1.1")
	if !found || !strings.HasPrefix(h.target, "/") {
		return false
	}
	return strings.IndexFunc(h.target, func(r rune) bool { return r <= ' ' || r >= 0x7F || r == '#' }) < 0
}

// field takes a header field; false says that the request is not for the lane.
func (h *laneHead) field(line string) bool {
	name, value, found := strings.Cut(line, ":")
	if !found || !isToken(name) || strings.IndexFunc(value, isControl) >= 0 {
		return false
	}
	value = strings.Trim(value, " \t")
	switch len(name) {
	case 4:
		if strings.EqualFold(name, "Host") {
			h.host = value
			return isHost(value) && h.once(hostField)
		}
	case 6:
		return !strings.EqualFold(name, "Expect")
	case 7:
		return !strings.EqualFold(name, "Upgrade")
	case 9:
		return !strings.EqualFold(name, "Forwarded") && !strings.EqualFold(name, "X-Real-IP")
	case 10:
		if strings.EqualFold(name, "User-Agent") {
			h.agent = value
			return h.once(agentField)
		}
		return !strings.EqualFold(name, "Connection") || strings.EqualFold(value, "keep-alive")
	case 13:
		if strings.EqualFold(name, "If-None-Match") {
			h.noneMatch = append(h.noneMatch, value)
		}
	case 14:
		return !strings.EqualFold(name, "Content-Length") && !strings.EqualFold(name, "Sec-Fetch-Mode")
	case 15:
		if strings.EqualFold(name, "Accept-Encoding") {
			h.accept = value
			return h.once(acceptField)
		}
		return !strings.EqualFold(name, "X-Forwarded-For")
	case 17:
		if strings.EqualFold(name, "If-Modified-Since") {
			h.since = value
			return h.once(sinceField)
		}
		return !strings.EqualFold(name, "Transfer-Encoding")
	default:
		// Every other field that could tell who the client is, or what it is called by.
		return !(len(name) > 12 && strings.EqualFold(name[:12], "X-Forwarded-"))
	}
	return true
}

// isToken reports whether a field has a name (RFC 9110, section 5.6.2).
func isToken(name string) bool {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return name != ""
}

// isHost reports whether a host is of letters, digits and what stands between them in
// names, addresses and ports. There are others, which net/http knows.
func isHost(host string) bool {
	for i := 0; i < len(host); i++ {
		c := host[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte(".-:[]_", c) < 0 {
			return false
		}
	}
	return host != ""
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }
