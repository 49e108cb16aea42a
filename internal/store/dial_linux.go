package store

import "syscall"

// giveUp has the kernel end a connection whose other side is silent for so many
// milliseconds to what it was sent, or to whether it is still there
// (RFC 5482; TCP_USER_TIMEOUT of tcp(7), which package syscall has no name for).
func giveUp(fd uintptr, milliseconds int) error {
	const userTimeout = 18
	return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, milliseconds)
}
