package feedserver

// Bytes returns the size of the cached documents.
func (s *Server) Bytes() int64 {
	var total int64
	for _, d := range s.cache.All() {
		total += d.Size()
	}
	return total
}

// Cached reports whether an address leads to a document in the cache.
func (s *Server) Cached(address string) bool {
	_, ok := s.cache.ByAddress(address)
	return ok
}
