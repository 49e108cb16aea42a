package serve

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"
)

// sheet is a body once more, as a file in memory: the kernel sends the pages of one
// without copying them, which is most of the work of sending a large body.
type sheet struct {
	fd   int
	body []byte // what is in it
}

// sheetFrom is the length of a body from which on it is worth a sheet.
const sheetFrom = 128 << 10

// sheet returns the sheet of a representation, which is made on first use and goes
// with it; nil when there can be none.
func (s *Server) sheet(d *document, rep *representation) *sheet {
	if made, tried := rep.sheet.Load().(*sheet); tried {
		return made
	}
	made := newSheet(rep.body)
	if !rep.sheet.CompareAndSwap(nil, made) {
		return rep.sheet.Load().(*sheet) // of another loop; ours goes with its last reference
	}
	if made != nil {
		rep.size.Add(int64(len(made.body)))
		s.cache.grew(d)
	}
	return made
}

func newSheet(body []byte) *sheet {
	fd, err := unix.MemfdCreate("feed", unix.MFD_CLOEXEC)
	if err != nil {
		return nil
	}
	made := &sheet{fd: fd, body: body}
	runtime.AddCleanup(made, func(fd int) { unix.Close(fd) }, fd)
	for len(body) > 0 {
		n, err := unix.Write(fd, body)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return nil
		}
		body = body[max(n, 0):]
	}
	return made
}
