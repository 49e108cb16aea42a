package connlimit

import "github.com/tidings-press/tidings/internal/disk"

// Budget is how many file descriptors each kind of connection may use. The rest is reserved
// for connections that send mail, for the store, and for files.
type Budget struct {
	HTTP     int // connections of readers and editors
	PerHTTP  int // connections of one reader or editor
	SMTP     int // connections of each listener for mail
	PerSMTP  int // connections of one mail server
	Reserved int // descriptors that connections may not use
}

// Upper limits, for machines with very many descriptors.
const (
	maxReserve = 512
	maxHTTP    = 50_000
	maxSMTP    = 256
)

// Descriptors divides the descriptors that the process may open. At the start of the program,
// the Go runtime has raised the soft limit to the hard limit.
func Descriptors() Budget {
	limit, err := disk.OpenFiles()
	if err != nil || limit > 1<<20 { // such as on Windows, which has no such limit
		limit = 1 << 20
	}
	return divide(int(limit))
}

func divide(limit int) Budget {
	b := Budget{Reserved: min(maxReserve, limit/2)}
	free := limit - b.Reserved
	b.SMTP = min(maxSMTP, max(free/8, 4))
	b.HTTP = min(maxHTTP, max(free-2*b.SMTP, 4)) // there are two listeners for mail
	b.PerHTTP = max(b.HTTP/8, 32)
	b.PerSMTP = max(b.SMTP/8, 2)
	return b
}
