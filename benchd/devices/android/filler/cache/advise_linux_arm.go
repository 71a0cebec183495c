package main

import "syscall"

// ARM's variant takes the advice second, so that offset and length begin at even registers.
func advise(fd, what int) error {
	_, _, failure := syscall.Syscall6(syscall.SYS_ARM_FADVISE64_64, uintptr(fd), uintptr(what), 0, 0, 0, 0)
	return outcome(failure)
}
