package mailer

import "bytes"

// relaxedBody appends a body in the relaxed form (RFC 6376, section 3.4.4): runs
// of white space are one space, none stands at the end of a line, and no empty
// lines stand at the end.
func relaxedBody(dst, body []byte) []byte {
	start := len(dst)
	if hasOnlyInnerSpaceRuns(body) {
		dst = collapseSpaces(dst, body)
		if len(body) > 0 && !bytes.HasSuffix(body, []byte("\r\n")) {
			dst = append(dst, '\r', '\n')
		}
	} else {
		dst = relaxedLines(dst, body)
	}
	for bytes.HasSuffix(dst[start:], []byte("\r\n\r\n")) {
		dst = dst[:len(dst)-2]
	}
	if bytes.Equal(dst[start:], []byte("\r\n")) {
		dst = dst[:start]
	}
	return dst
}

// hasOnlyInnerSpaceRuns says whether a body has only runs of spaces within lines to
// collapse. Quoted-printable is so but for its tabs; searching for the exceptions
// takes a tenth of the time of going line by line.
func hasOnlyInnerSpaceRuns(body []byte) bool {
	return bytes.IndexByte(body, '\t') < 0 && !bytes.Contains(body, []byte(" \r\n")) && !bytes.HasSuffix(body, []byte(" "))
}

func collapseSpaces(dst, body []byte) []byte {
	for {
		at := bytes.Index(body, []byte("  "))
		if at < 0 {
			return append(dst, body...)
		}
		dst = append(dst, body[:at+1]...)
		for body = body[at+2:]; len(body) > 0 && body[0] == ' '; {
			body = body[1:]
		}
	}
}

// collapseWhitespace makes runs of white space one space. In quoted-printable none
// stands at the end of a line, so that this is all there is to do.
func collapseWhitespace(dst, text []byte) []byte {
	white := false
	for _, b := range text {
		if b == ' ' || b == '\t' {
			white = true
			continue
		}
		if white {
			dst = append(dst, ' ')
			white = false
		}
		dst = append(dst, b)
	}
	return dst
}

// relaxedLines is the plain way.
func relaxedLines(dst, body []byte) []byte {
	for len(body) > 0 {
		line, rest, _ := bytes.Cut(body, []byte("\r\n"))
		dst = collapseWhitespace(dst, line)
		dst = append(dst, '\r', '\n')
		body = rest
	}
	return dst
}

// rawHeader is a header field with its folds, without its last line end.
type rawHeader struct {
	name string // in lower case
	raw  []byte
}

// splitHeaders takes a header section apart.
func splitHeaders(head []byte) []rawHeader {
	all := make([]rawHeader, 0, 24)
	for len(head) > 0 {
		end := len(head)
		for at := 0; ; {
			i := bytes.Index(head[at:], []byte("\r\n"))
			if i < 0 {
				break
			}
			if at += i + 2; at == len(head) || head[at] != ' ' && head[at] != '\t' {
				end = at - 2
				break
			}
		}
		if colon := bytes.IndexByte(head[:end], ':'); colon > 0 {
			all = append(all, rawHeader{string(bytes.ToLower(bytes.TrimRight(head[:colon], " \t"))), head[:end]})
		}
		head = head[min(end+2, len(head)):]
	}
	return all
}

// appendSignedHeaders appends the headers that are signed, in the order of h=, which
// it returns. Of several with the same name the last comes first (RFC 6376,
// section 5.4.2).
func appendSignedHeaders(dst []byte, headers []rawHeader) (string, []byte) {
	names := make([]string, 0, 32)
	for _, s := range signedHeaders {
		for i := len(headers) - 1; i >= 0; i-- {
			if headers[i].name == s.name {
				names = append(names, s.name)
				dst = append(appendRelaxedHeader(dst, headers[i].raw), "\r\n"...)
			}
		}
		if s.oversign {
			names = append(names, s.name)
		}
	}
	return headerNames(names), dst
}

// appendRelaxedHeader appends a header field in the relaxed form (RFC 6376, section
// 3.4.2), without a line end.
func appendRelaxedHeader(dst, raw []byte) []byte {
	colon := bytes.IndexByte(raw, ':')
	dst = append(dst, bytes.ToLower(bytes.TrimRight(raw[:colon], " \t"))...)
	dst = append(dst, ':')
	space, begun := false, false
	for _, b := range raw[colon+1:] {
		switch b {
		case ' ', '\t', '\r', '\n':
			space = true
			continue
		}
		if space && begun {
			dst = append(dst, ' ')
		}
		space, begun = false, true
		dst = append(dst, b)
	}
	return dst
}
