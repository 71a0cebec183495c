package main

import (
	"strings"
	"syscall"
	"unsafe"
)

// setRWHint is F_SET_RW_HINT of linux/fcntl.h, for the inode: of the open file alone f2fs
// has never taken notice but on a few kernels.
const setRWHint = 1024 + 12

// lifetime is how long data is said to live: RWH_WRITE_LIFE_* of linux/fcntl.h.
type lifetime uint64

const (
	lifetimeNotSaid lifetime = 0
	lifetimeShort   lifetime = 2
	lifetimeExtreme lifetime = 5
)

// lifetimeOf is what a file of this name says of its data.
func lifetimeOf(name string) lifetime {
	switch {
	case strings.HasSuffix(name, shortLifeEnd):
		return lifetimeShort
	case strings.HasSuffix(name, longLifeEnd):
		return lifetimeExtreme
	default:
		return lifetimeNotSaid
	}
}

// goesDirect says whether a file of this name may be written by O_DIRECT. What lies in the log
// that its name chooses has to go through the page cache, and so has a small file, which
// O_DIRECT would take out of its inode.
func goesDirect(name string) bool {
	return !isSmallName(name) && !strings.HasSuffix(name, hotEnd) && !strings.HasSuffix(name, coldEnd)
}

// setLifetime tells an open file how long its data will live. The kernel forgets it with the
// inode, so it is told at each opening.
func setLifetime(fd int, life lifetime) error {
	if life == lifetimeNotSaid {
		return nil
	}
	hint := uint64(life)
	_, _, failure := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), setRWHint, uintptr(unsafe.Pointer(&hint)))
	return asError(failure)
}
