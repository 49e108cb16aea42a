package serve

// Head is what the fuzz test sees of a head.
type Head struct {
	Method, Target, Host, Since, Accept, Agent string
	NoneMatch                                  []string
}

// ParseHead reads a head as the lane does; false says that it is not for the lane.
func ParseHead(raw string) (Head, bool) {
	var h laneHead
	if parseHead([]byte(raw), &h) != headPlain {
		return Head{}, false
	}
	method := "GET"
	if h.head {
		method = "HEAD"
	}
	return Head{method, h.target, h.host, h.since, h.accept, h.agent, h.noneMatch}, true
}

// Bytes is what the cache holds.
func (s *Server) Bytes() int64 {
	var total int64
	for _, d := range s.cache.all() {
		total += d.size()
	}
	return total
}

// Addresses is how many addresses the cache knows.
func (s *Server) Addresses() (n int) {
	s.cache.byPath.Range(func(any, any) bool { n++; return true })
	return n
}

// Counted is what the cache believes to hold.
func (s *Server) Counted() int64 {
	s.cache.changing.Lock()
	defer s.cache.changing.Unlock()
	return s.cache.bytes
}

// Len is how many connections are in the lane.
func (l *Lane) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

// Busy is how many of them have sent a part of a request.
func (l *Lane) Busy() (n int) {
	for _, r := range l.loops {
		n += r.begun() // which may wait for the loop, and that for the lock
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		if !conn.idle.Load() {
			n++
		}
	}
	return n
}
