package mailer

// Pipelining reports whether the connection sends the commands of an envelope in one write.
func (c *Conn) Pipelining() bool { return c.extensions.pipelining }

// MaxSize returns the largest mail that the server takes, in octets, or 0 for no limit (RFC 1870).
func (c *Conn) MaxSize() int { return c.extensions.maxSize }
