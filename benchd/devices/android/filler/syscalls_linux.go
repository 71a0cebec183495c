package main

import (
	"errors"
	"os"
	"syscall"
	"unsafe"
)

const (
	adviseRandom       = 1  // POSIX_FADV_RANDOM
	adviseDontNeed     = 4  // POSIX_FADV_DONTNEED
	adviseHugePage     = 14 // MADV_HUGEPAGE
	syncFileRangeWrite = 2  // SYNC_FILE_RANGE_WRITE
	residencyWindow    = 64 << 20
)

// retried repeats a system call that a signal cut short: the Go runtime sends
// itself signals, and FUSE lets them interrupt.
func retried(call func() (int, error)) (int, error) {
	for {
		result, err := call()
		if !errors.Is(err, syscall.EINTR) {
			return result, err
		}
	}
}

func interrupted(call func() error) error {
	_, err := retried(func() (int, error) { return 0, call() })
	return err
}

// alignedBuffer gives memory on a page boundary, as O_DIRECT wants it.
func alignedBuffer(size int) ([]byte, error) {
	buffer, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, storageFault("get memory for a buffer", err)
	}
	_ = syscall.Madvise(buffer, adviseHugePage) // fewer pages to pin for O_DIRECT; a wish only
	return buffer, nil
}

// freeBuffer gives a buffer's memory back; nobody may use it any more.
func freeBuffer(buffer []byte) { _ = syscall.Munmap(buffer) }

// setDirect turns O_DIRECT on or off for an open file; an error means that the file system doesn't take it.
func setDirect(fd int, direct bool) error {
	flags, _, failure := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
	if failure != 0 {
		return failure
	}
	wanted := flags &^ uintptr(syscall.O_DIRECT)
	if direct {
		wanted |= uintptr(syscall.O_DIRECT)
	}
	_, _, failure = syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_SETFL, wanted)
	return asError(failure)
}

// syncFileSystem commits the whole file system: f2fs and ext4 hand out deleted
// blocks again only after a commit.
func syncFileSystem(fd int) error {
	err := interrupted(func() error {
		_, _, failure := syscall.Syscall(sysSyncFS, uintptr(fd), 0, 0)
		return asError(failure)
	})
	if err != nil && !errors.Is(err, syscall.ENOSYS) {
		return storageFault("sync the file system", err)
	}
	return nil
}

// residentPages counts the pages with any of these bytes of a file that are in the page cache.
func residentPages(fd int, start, size int64) (int64, error) {
	var resident int64
	end := start + size
	for offset := start &^ int64(os.Getpagesize()-1); offset < end; offset += residencyWindow {
		found, err := residentInWindow(fd, offset, int(min(residencyWindow, end-offset)))
		if err != nil {
			return 0, err
		}
		resident += found
	}
	return resident, nil
}

func residentInWindow(fd int, offset int64, length int) (int64, error) {
	mapped, err := syscall.Mmap(fd, offset, length, syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return 0, err
	}
	defer func() { _ = syscall.Munmap(mapped) }()
	pageBytes := os.Getpagesize()
	states := make([]byte, (length+pageBytes-1)/pageBytes)
	_, _, failure := syscall.Syscall(syscall.SYS_MINCORE,
		uintptr(unsafe.Pointer(&mapped[0])), uintptr(length), uintptr(unsafe.Pointer(&states[0])))
	if failure != 0 {
		return 0, failure
	}
	var resident int64
	for _, state := range states {
		resident += int64(state & 1)
	}
	return resident, nil
}

func asError(failure syscall.Errno) error {
	if failure != 0 {
		return failure
	}
	return nil
}
