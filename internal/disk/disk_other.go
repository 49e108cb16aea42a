//go:build !linux && !darwin && !freebsd

package disk

import "errors"

// FreeSpace is not supported on this system.
func FreeSpace(string) (int64, error) { return 0, errors.ErrUnsupported }

// OpenFiles is not supported on this system.
func OpenFiles() (int64, error) { return 0, errors.ErrUnsupported }
