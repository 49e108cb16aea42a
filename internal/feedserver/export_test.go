package feedserver

// Bytes is what the cached documents take.
func (s *Server) Bytes() int64 {
	var total int64
	for _, d := range s.cache.All() {
		total += d.Size()
	}
	return total
}

// Addresses is how many addresses the cache knows.
func (s *Server) Addresses() int {
	_, addresses := s.cache.Sizes()
	return addresses
}

// Counted is how many bytes the cache has counted.
func (s *Server) Counted() int64 {
	bytes, _ := s.cache.Sizes()
	return bytes
}
