//go:build !unix

package journal

import "os"

// Without file locks, only one process at a time may use a journal.
func lockShared(*os.File) error    { return nil }
func lockExclusive(*os.File) error { return nil }
func unlock(*os.File)              {}
