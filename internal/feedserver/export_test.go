package feedserver

// Bytes returns the size of the cached documents.
func (s *Server) Bytes() int64 {
	var total int64
	for _, d := range s.cache.All() {
		total += d.Size()
	}
	return total
}

// Addresses returns the number of addresses in the cache.
func (s *Server) Addresses() int {
	_, addresses := s.cache.Sizes()
	return addresses
}

// Counted returns the size that the cache itself has counted.
func (s *Server) Counted() int64 {
	bytes, _ := s.cache.Sizes()
	return bytes
}
