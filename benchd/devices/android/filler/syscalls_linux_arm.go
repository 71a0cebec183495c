package main

import "syscall"

const sysSyncFS = 373

// ARM wants the two registers of a 64-bit number to begin at an even one, so
// its variants of these calls take advice and flags second.
func adviseFile(fd int, offset, length int64, advice int) error {
	_, _, failure := syscall.Syscall6(syscall.SYS_ARM_FADVISE64_64, uintptr(fd), uintptr(advice),
		uintptr(uint32(offset)), uintptr(uint32(offset>>32)),
		uintptr(uint32(length)), uintptr(uint32(length>>32)))
	return asError(failure)
}

func syncFileRange(fd int, offset, length int64, flags int) error {
	_, _, failure := syscall.Syscall6(syscall.SYS_ARM_SYNC_FILE_RANGE, uintptr(fd), uintptr(flags),
		uintptr(uint32(offset)), uintptr(uint32(offset>>32)),
		uintptr(uint32(length)), uintptr(uint32(length>>32)))
	return asError(failure)
}
