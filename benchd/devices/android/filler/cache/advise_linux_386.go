package main

import "syscall"

// Offset and length take two registers each, and the advice comes last.
func advise(fd, what int) error {
	_, _, failure := syscall.Syscall6(syscall.SYS_FADVISE64_64, uintptr(fd), 0, 0, 0, 0, uintptr(what))
	return outcome(failure)
}
