package main

import (
	"errors"
	"math"
	"syscall"
	"unsafe"
)

// drop deletes what the fill has made, or only its tail, and so gives the handset its space
// back. The medium is told that the space is free where that is allowed.
func drop(request dropRequest, events *eventWriter) error {
	where, err := openDirectory(request.directory)
	if err != nil {
		return err
	}
	defer where.close()
	unwanted := isOwnName
	if request.onlyTail {
		unwanted = isTailName
	}
	removed, err := where.removeAndCount(unwanted)
	if err != nil {
		return err
	}
	if err := syncFileSystem(where.fd()); err != nil {
		return err
	}
	trim, trimmed := "not_asked", int64(0)
	if !request.onlyTail {
		trim, trimmed = where.trim()
	}
	left, err := where.space()
	if err != nil {
		return err
	}
	events.emit(dropDoneEvent{
		Event:        "done",
		FilesRemoved: removed,
		FreeBytes:    left.freeBytes,
		Trim:         trim,
		TrimmedBytes: trimmed,
	})
	return nil
}

// fitrim is FITRIM of linux/fs.h: _IOWR('X', 121, struct fstrim_range).
const fitrim = 0xc0185879

// trim says what became of it: "done", "not_allowed" as for Android's shell, "not_supported" or "failed".
func (d *directory) trim() (string, int64) {
	asked := struct{ start, length, smallest uint64 }{0, math.MaxUint64, 0}
	err := interrupted(func() error {
		_, _, failure := syscall.Syscall(syscall.SYS_IOCTL, uintptr(d.fd()), fitrim, uintptr(unsafe.Pointer(&asked)))
		return asError(failure)
	})
	switch {
	case err == nil:
		return "done", int64(min(asked.length, math.MaxInt64))
	case errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES):
		return "not_allowed", 0
	case errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOTTY) || errors.Is(err, syscall.EINVAL) ||
		errors.Is(err, syscall.ENOSYS):
		return "not_supported", 0
	default:
		return "failed", 0
	}
}
