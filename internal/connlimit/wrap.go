package connlimit

import (
	"net"
	"sync"
	"time"
)

// longestLife is how long a connection may last that is counted by Wrap, whatever it does.
const longestLife = 15 * time.Minute

// Wrap counts the connections of a listener for servers without http.Server's ConnState, such
// as SMTP. A connection is idle while it has sent nothing yet, and when it has been silent for
// a while.
func (l *Limiter) Wrap(inner net.Listener) net.Listener { return wrapping{l.Listener(inner), l} }

type wrapping struct {
	net.Listener
	limiter *Limiter
}

// Accept implements net.Listener.
func (w wrapping) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &watched{Conn: conn, limiter: w.limiter}
	c.silent = time.AfterFunc(w.limiter.options.Silent, func() { w.limiter.rest(conn) })
	c.silent.Stop()
	c.end = time.AfterFunc(longestLife, func() { conn.Close() })
	return c, nil
}

// watched is a connection that tells when it is used.
type watched struct {
	net.Conn
	limiter *Limiter
	silent  *time.Timer
	end     *time.Timer
	once    sync.Once
}

// Read implements net.Conn.
func (c *watched) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.limiter.use(c.Conn)
		c.silent.Reset(c.limiter.options.Silent)
	}
	return n, err
}

// Close implements net.Conn.
func (c *watched) Close() error {
	c.once.Do(func() {
		c.silent.Stop()
		c.end.Stop()
		c.limiter.remove(c.Conn)
	})
	return c.Conn.Close()
}
