package main

import (
	"errors"
	"os"
	"syscall"
	"time"
)

const (
	lockAttempts = 15
	lockPause    = 20 * time.Millisecond
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
	err = lockPatiently(fd)
	if err == nil {
		touch(fd)
		return file, nil
	}
	_ = file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, &fault{codeBusy, "another benchd-fill is at work in this directory"}
	}
	return nil, storageFault("lock the lock file", err)
}

// lockPatiently tries a few times: a guard looks at the directory for a moment now and then.
func lockPatiently(fd int) error {
	for attempt := 1; ; attempt++ {
		err := interrupted(func() error { return syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) })
		if !errors.Is(err, syscall.EWOULDBLOCK) || attempt == lockAttempts {
			return err
		}
		time.Sleep(lockPause)
	}
}

// touch sets a file's time to now, which is how the guard sees that somebody is at work.
func touch(fd int) {
	_, _, _ = syscall.Syscall6(syscall.SYS_UTIMENSAT, uintptr(fd), 0, 0, 0, 0, 0)
}
