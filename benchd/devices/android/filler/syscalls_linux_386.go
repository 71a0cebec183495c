package main

import "syscall"

const sysSyncFS = 344

// On i386 a 64-bit number takes two registers, low half first, and the advice comes last.
func adviseFile(fd int, offset, length int64, advice int) error {
	_, _, failure := syscall.Syscall6(syscall.SYS_FADVISE64_64, uintptr(fd),
		uintptr(uint32(offset)), uintptr(uint32(offset>>32)),
		uintptr(uint32(length)), uintptr(uint32(length>>32)), uintptr(advice))
	return asError(failure)
}

func syncFileRange(fd int, offset, length int64, flags int) error {
	_, _, failure := syscall.Syscall6(syscall.SYS_SYNC_FILE_RANGE, uintptr(fd),
		uintptr(uint32(offset)), uintptr(uint32(offset>>32)),
		uintptr(uint32(length)), uintptr(uint32(length>>32)), uintptr(flags))
	return asError(failure)
}
