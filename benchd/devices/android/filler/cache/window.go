package main

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

const (
	dontNeed    = 4        // POSIX_FADV_DONTNEED
	mostAtOnce  = 16 << 20 // a process of 32 bits has little room for a mapping
	residentBit = 1        // the other bits of mincore's answer are undefined
)

// window is a part of an open file, on whole pages.
type window struct {
	fd         int
	begin, end int64
	pageBytes  int64
}

// openWindow opens a plain file and never follows a link; the window ends where the file does.
func openWindow(path string, offset, length int64) (*window, error) {
	flags := syscall.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_CLOEXEC
	fd, err := again(func() (int, error) { return syscall.Open(path, flags, 0) })
	if err != nil {
		return nil, err
	}
	look := &window{fd: fd, pageBytes: int64(os.Getpagesize())}
	if err := look.within(offset, length); err != nil {
		look.close()
		return nil, err
	}
	return look, nil
}

func (w *window) within(offset, length int64) error {
	var status syscall.Stat_t
	if err := syscall.Fstat(w.fd, &status); err != nil {
		return err
	}
	if status.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return errors.New("it isn't a plain file")
	}
	end := min(offset+length, status.Size)
	if end <= offset {
		return errors.New("the file ends before the window")
	}
	w.begin = offset / w.pageBytes * w.pageBytes
	w.end = (end + w.pageBytes - 1) / w.pageBytes * w.pageBytes
	return nil
}

func (w *window) close() { _ = syscall.Close(w.fd) }

func (w *window) pages() int64 { return (w.end - w.begin) / w.pageBytes }

// letGo asks the kernel to drop the whole file from its cache; what isn't written yet it keeps,
// so that is written first.
func (w *window) letGo() error {
	if _, err := again(func() (int, error) { return 0, syscall.Fsync(w.fd) }); err != nil {
		return err
	}
	return advise(w.fd, dontNeed)
}

// resident is how many of the window's pages are in the cache.
func (w *window) resident() (int64, error) {
	var found int64
	for at := w.begin; at < w.end; at += mostAtOnce {
		here, err := w.residentFrom(at, min(mostAtOnce, w.end-at))
		if err != nil {
			return 0, err
		}
		found += here
	}
	return found, nil
}

func (w *window) residentFrom(at, length int64) (int64, error) {
	mapped, err := syscall.Mmap(w.fd, at, int(length), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return 0, err
	}
	defer func() { _ = syscall.Munmap(mapped) }()
	pages := make([]byte, length/w.pageBytes)
	_, _, failure := syscall.Syscall(syscall.SYS_MINCORE, uintptr(unsafe.Pointer(unsafe.SliceData(mapped))),
		uintptr(length), uintptr(unsafe.Pointer(unsafe.SliceData(pages))))
	if failure != 0 {
		return 0, failure
	}
	var found int64
	for _, page := range pages {
		found += int64(page & residentBit)
	}
	return found, nil
}

// again repeats a call that a signal cut short.
func again(call func() (int, error)) (int, error) {
	for {
		result, err := call()
		if !errors.Is(err, syscall.EINTR) {
			return result, err
		}
	}
}

func outcome(failure syscall.Errno) error {
	if failure == 0 {
		return nil
	}
	return failure
}
