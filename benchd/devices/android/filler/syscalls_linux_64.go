//go:build linux && (amd64 || arm64)

package main

import "syscall"

func adviseFile(fd int, offset, length int64, advice int) error {
	_, _, failure := syscall.Syscall6(syscall.SYS_FADVISE64,
		uintptr(fd), uintptr(offset), uintptr(length), uintptr(advice), 0, 0)
	return asError(failure)
}

func syncFileRange(fd int, offset, length int64, flags int) error {
	_, _, failure := syscall.Syscall6(syscall.SYS_SYNC_FILE_RANGE,
		uintptr(fd), uintptr(offset), uintptr(length), uintptr(flags), 0, 0)
	return asError(failure)
}
