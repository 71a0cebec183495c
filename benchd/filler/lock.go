package main

import (
	"errors"
	"os"
	"syscall"
)

// takeLock keeps a second program out of the directory: a filler whose cable
// was pulled may still be running when the next one is started. The lock ends
// with the process; the file stays, since deleting it would let two hold "it".
func takeLock(directoryFD int) (*os.File, error) {
	flags := syscall.O_RDWR | syscall.O_CREAT | syscall.O_NOFOLLOW | syscall.O_CLOEXEC
	fd, err := retried(func() (int, error) { return syscall.Openat(directoryFD, lockName, flags, 0o600) })
	if errors.Is(err, syscall.ELOOP) {
		return nil, usage("the lock file is a symlink")
	}
	if err != nil {
		return nil, storageFault("open the lock file", err)
	}
	file := os.NewFile(uintptr(fd), lockName)
	err = interrupted(func() error { return syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) })
	if err == nil {
		return file, nil
	}
	_ = file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, &fault{codeBusy, "another benchd-fill is at work in this directory"}
	}
	return nil, storageFault("lock the lock file", err)
}
