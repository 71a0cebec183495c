//go:build linux && (amd64 || arm64)

package main

import "syscall"

func advise(fd, what int) error {
	_, _, failure := syscall.Syscall6(syscall.SYS_FADVISE64, uintptr(fd), 0, 0, uintptr(what), 0, 0)
	return outcome(failure)
}
