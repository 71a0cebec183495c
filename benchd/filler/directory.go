package main

import (
	"errors"
	"os"
	"sort"
	"syscall"
)

// directory is the one folder this program works in. Everything inside is
// reached through its descriptor, by plain name, and never through a symlink.
type directory struct {
	handle *os.File
	lock   *os.File
}

// makeDirectory opens the folder and makes it first where it is missing.
func makeDirectory(path string) (*directory, error) {
	if err := syscall.Mkdir(path, 0o700); err != nil && !errors.Is(err, syscall.EEXIST) {
		return nil, storageFault("make the directory", err)
	}
	return openDirectory(path)
}

// openDirectory opens the folder and takes its lock.
func openDirectory(path string) (*directory, error) {
	flags := syscall.O_RDONLY | syscall.O_DIRECTORY | syscall.O_NOFOLLOW | syscall.O_CLOEXEC
	fd, err := retried(func() (int, error) { return syscall.Open(path, flags, 0) })
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENOTDIR) {
		return nil, usage("%q is a symlink or no directory", path)
	}
	if err != nil {
		return nil, storageFault("open the directory", err)
	}
	opened := &directory{handle: os.NewFile(uintptr(fd), path)}
	if opened.lock, err = takeLock(fd); err != nil {
		opened.close()
		return nil, err
	}
	return opened, nil
}

// close gives the lock back, after everything else is done.
func (d *directory) close() {
	_ = d.handle.Close()
	if d.lock != nil {
		_ = d.lock.Close()
	}
}

func (d *directory) fd() int { return int(d.handle.Fd()) }

// create makes a new file that nobody had before.
func (d *directory) create(name string) (int, error) {
	flags := syscall.O_RDWR | syscall.O_CREAT | syscall.O_EXCL | syscall.O_NOFOLLOW | syscall.O_CLOEXEC
	return retried(func() (int, error) { return syscall.Openat(d.fd(), name, flags, 0o600) })
}

// openExisting opens a file for reading; O_NONBLOCK keeps a pipe that bears the name from stalling us.
func (d *directory) openExisting(name string) (int, error) {
	flags := syscall.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_NOCTTY | syscall.O_CLOEXEC
	return retried(func() (int, error) { return syscall.Openat(d.fd(), name, flags, 0) })
}

func (d *directory) remove(name string) error {
	return interrupted(func() error { return syscall.Unlinkat(d.fd(), name) })
}

// fillFiles lists this program's own files.
func (d *directory) fillFiles() ([]string, error) {
	if _, err := d.handle.Seek(0, 0); err != nil {
		return nil, storageFault("list the directory", err)
	}
	names, err := d.handle.Readdirnames(-1)
	if err != nil {
		return nil, storageFault("list the directory", err)
	}
	var own []string
	for _, name := range names {
		if _, isFillName := fillIndex(name); isFillName {
			own = append(own, name)
		}
	}
	sort.Strings(own)
	return own, nil
}

// removeFillFiles deletes this program's own files, for good, and says how many there were.
func (d *directory) removeFillFiles() (int, error) {
	names, err := d.fillFiles()
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		if err := d.remove(name); err != nil {
			return 0, storageFault("delete "+name, err)
		}
	}
	return len(names), d.sync()
}

// sync makes the entries of the directory durable.
func (d *directory) sync() error {
	if err := interrupted(func() error { return syscall.Fsync(d.fd()) }); err != nil {
		return storageFault("fsync the directory", err)
	}
	return nil
}
