package middleware

import (
	"net/http"
	"time"
)

const (
	// stallTime is how long a download may stand still until its connection is closed.
	stallTime = time.Minute
	// stallStep is how many bytes of a download get a new deadline at once. A client that takes fewer
	// in stallTime counts as one that takes none.
	stallStep = 16 << 10
)

// UntilStalled returns a writer for a file that a slow client may take hours to download: it replaces
// the deadline for the whole response by one for each part of it, so that the connection is closed
// when the client takes nothing for a minute.
func UntilStalled(w http.ResponseWriter) http.ResponseWriter {
	return &stallWriter{w, http.NewResponseController(w)}
}

type stallWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

// Write writes step by step, each with a deadline of its own.
func (w *stallWriter) Write(p []byte) (written int, err error) {
	for {
		part := p[written:min(len(p), written+stallStep)]
		_ = w.control.SetWriteDeadline(time.Now().Add(stallTime)) // not supported only in tests without a connection
		n, err := w.ResponseWriter.Write(part)
		if written += n; err != nil || written == len(p) {
			return written, err
		}
	}
}

// Unwrap is for http.ResponseController.
func (w *stallWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
