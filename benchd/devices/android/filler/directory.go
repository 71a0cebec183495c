package main

import (
	"errors"
	"os"
	"sort"
	"syscall"
	"unsafe"
)

const (
	atRemoveDirectory = 0x200 // AT_REMOVEDIR, linux/fcntl.h
	statBlockBytes    = 512   // the unit of st_blocks, whatever the file system's own
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

// touch tells the guard that somebody is at work.
func (d *directory) touch() {
	if d != nil && d.lock != nil {
		touch(int(d.lock.Fd()))
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

func (d *directory) makeDirectory(name string) error {
	return interrupted(func() error { return syscall.Mkdirat(d.fd(), name, 0o700) })
}

// openWritable opens an earlier fill file to go on with it.
func (d *directory) openWritable(name string) (int, error) {
	flags := syscall.O_RDWR | syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_NOCTTY | syscall.O_CLOEXEC
	return retried(func() (int, error) { return syscall.Openat(d.fd(), name, flags, 0) })
}

func (d *directory) removeDirectory(name string) error {
	path, err := syscall.BytePtrFromString(name)
	if err != nil {
		return err
	}
	return interrupted(func() error {
		_, _, failure := syscall.Syscall(syscall.SYS_UNLINKAT,
			uintptr(d.fd()), uintptr(unsafe.Pointer(path)), atRemoveDirectory)
		return asError(failure)
	})
}

// own lists what this program has made, as far as it is wanted.
func (d *directory) own(wanted func(name string) bool) ([]string, error) {
	if _, err := d.handle.Seek(0, 0); err != nil {
		return nil, storageFault("list the directory", err)
	}
	names, err := d.handle.Readdirnames(-1)
	if err != nil {
		return nil, storageFault("list the directory", err)
	}
	var own []string
	for _, name := range names {
		if wanted(name) {
			own = append(own, name)
		}
	}
	sort.Strings(own)
	return own, nil
}

// removeOwn deletes what this program has made, as far as it is wanted, for good.
func (d *directory) removeOwn(wanted func(name string) bool) error {
	_, err := d.removeAndCount(wanted)
	return err
}

// removeAndCount is removeOwn, and says how many fill files there were.
func (d *directory) removeAndCount(wanted func(name string) bool) (int, error) {
	names, err := d.own(wanted)
	if err != nil {
		return 0, err
	}
	files := 0
	for _, name := range names {
		if err := d.removeOne(name); err != nil {
			return 0, storageFault("delete "+name, err)
		}
		if _, isFillName := parseName(name); isFillName {
			files++
		}
	}
	return files, d.sync()
}

// removeAny deletes what bears one of our names, even a directory, as long as that is empty.
func (d *directory) removeAny(name string) error {
	err := d.remove(name)
	if errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.EPERM) {
		return d.removeDirectory(name)
	}
	return err
}

// removeOne deletes one entry; one that another hand has deleted meanwhile is gone all the same.
func (d *directory) removeOne(name string) error {
	if err := d.removeAny(name); err != nil && !errors.Is(err, syscall.ENOENT) {
		return err
	}
	return nil
}

// bytesHeld is how much space the body files of an earlier fill take.
func (d *directory) bytesHeld() (int64, error) {
	names, err := d.own(isBodyName)
	if err != nil {
		return 0, err
	}
	var held int64
	for _, name := range names {
		fd, err := d.openExisting(name)
		if err != nil {
			continue // it proves nothing, and will be deleted
		}
		var status syscall.Stat_t
		if err := syscall.Fstat(fd, &status); err == nil {
			held += status.Blocks * statBlockBytes
		}
		_ = syscall.Close(fd)
	}
	return held, nil
}

// sync makes the entries of the directory durable.
func (d *directory) sync() error {
	if err := interrupted(func() error { return syscall.Fsync(d.fd()) }); err != nil {
		return storageFault("fsync the directory", err)
	}
	return nil
}
