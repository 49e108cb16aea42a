package sqldb

import "syscall"

// setUserTimeout closes a connection whose other side leaves data or keep-alive probes
// unacknowledged for so many milliseconds (RFC 5482; TCP_USER_TIMEOUT of tcp(7), which
// package syscall does not name).
func setUserTimeout(fd uintptr, milliseconds int) error {
	const userTimeout = 18
	return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, milliseconds)
}
