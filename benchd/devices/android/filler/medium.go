package main

import (
	"fmt"
	"sync/atomic"
	"syscall"
)

// medium is what a fill writes to. Tests put a small faulty one in its place.
type medium interface {
	// create makes a new file; "no room left" is an error that isFull tells.
	create(name string) (mediumFile, error)
	// reopen gives an earlier file, cut off after the last byte that holds its stretch of the
	// keystream; no file where none does.
	reopen(name string, streamOffset, size int64) (mediumFile, int64, error)
	remove(name string) error
	// removeAllBut removes every body file of an earlier fill whose name isn't kept.
	removeAllBut(kept map[string]bool) error
	makeDirectory(name string) error
	// freeBytes is what may still be written.
	freeBytes() (int64, error)
	// commit makes space usable that the file system still holds back.
	commit() error
}

// mediumFile is one file being filled.
type mediumFile interface {
	// writeAt may write less than asked; "no room left" is an error that isFull tells.
	writeAt(data []byte, offset int64) (int, error)
	// sync returns without error only if all that was written is on the medium.
	sync() error
	// finish closes the file, which then has exactly this size.
	finish(size int64) error
}

// disk is the medium behind a directory.
type disk struct {
	where  *directory
	direct bool
	// stream is what files of an earlier fill have to hold; counted grows with what they do.
	stream  generator
	counted *atomic.Int64
	// reader proves them; it is made for the first one.
	reader *checker
}

type diskFile struct {
	fd     int
	name   string
	direct bool
}

func (d *disk) create(name string) (mediumFile, error) {
	fd, err := d.where.create(name)
	if err != nil {
		return nil, err
	}
	return d.readied(fd, name)
}

// readied makes an open file go to the log that its name stands for.
func (d *disk) readied(fd int, name string) (mediumFile, error) {
	file := &diskFile{fd: fd, name: name, direct: d.direct && goesDirect(name)}
	if err := setDirect(fd, file.direct); err != nil && file.direct {
		_ = syscall.Close(fd)
		return nil, err
	}
	if err := setLifetime(fd, lifetimeOf(name)); err != nil {
		_ = syscall.Close(fd)
		return nil, err
	}
	return file, nil
}

func (d *disk) removeAllBut(kept map[string]bool) error {
	return d.where.removeOwn(func(name string) bool { return isBodyName(name) && !kept[name] })
}

// stop ends the reader, if there was anything to prove.
func (d *disk) stop() {
	if d.reader != nil {
		d.reader.stop()
	}
}

func (d *disk) makeDirectory(name string) error { return d.where.makeDirectory(name) }

func (d *disk) freeBytes() (int64, error) {
	on, err := d.where.space()
	return on.freeBytes, err
}

func (d *disk) remove(name string) error { return d.where.remove(name) }

func (d *disk) commit() error { return syncFileSystem(d.where.fd()) }

func (f *diskFile) writeAt(data []byte, offset int64) (int, error) {
	written, err := retried(func() (int, error) { return syscall.Pwrite(f.fd, data, offset) })
	if err != nil {
		return 0, err
	}
	if !f.direct {
		// Starts the write-back only; errors of the medium come out of sync.
		_ = syncFileRange(f.fd, offset, int64(written), syncFileRangeWrite)
	}
	return written, nil
}

// sync must never be tried again after an error: the kernel marks the pages
// that it could not write as clean, and the second call would succeed.
func (f *diskFile) sync() error {
	if err := interrupted(func() error { return syscall.Fdatasync(f.fd) }); err != nil {
		return storageFault("fdatasync "+f.name, err)
	}
	_ = adviseFile(f.fd, 0, 0, adviseDontNeed)
	return nil
}

func (f *diskFile) finish(size int64) error {
	var status syscall.Stat_t
	if err := syscall.Fstat(f.fd, &status); err != nil {
		return storageFault("look at "+f.name, err)
	}
	if status.Size < size {
		return &fault{codeIO, fmt.Sprintf("%s has %d bytes where %d were written", f.name, status.Size, size)}
	}
	if status.Size > size {
		if err := interrupted(func() error { return syscall.Ftruncate(f.fd, size) }); err != nil {
			return storageFault("trim "+f.name, err)
		}
		if err := f.sync(); err != nil {
			return err
		}
	}
	if err := syscall.Close(f.fd); err != nil {
		return storageFault("close "+f.name, err)
	}
	return nil
}

// abilities are what a file system was seen to do.
type abilities struct {
	// direct is true where O_DIRECT really goes past the page cache: a file system may accept
	// the flag and still use the cache, for encrypted files say.
	direct bool
	// lifetimes is true where a file can be told how long its data will live.
	lifetimes bool
}

// probe finds them out with a file of its own; where there is no room for one, nothing is known.
func (d *directory) probe() (abilities, error) {
	fd, err := d.create(probeName)
	if isFull(err) {
		return abilities{}, nil
	}
	if err != nil {
		return abilities{}, storageFault("create "+probeName, err)
	}
	seen := abilities{direct: writesPastCache(fd), lifetimes: setLifetime(fd, lifetimeShort) == nil}
	_ = syscall.Close(fd)
	if err := d.remove(probeName); err != nil {
		return abilities{}, storageFault("delete "+probeName, err)
	}
	return seen, nil
}

func writesPastCache(fd int) bool {
	block, err := alignedBuffer(blockBytes)
	if err != nil {
		return false
	}
	defer freeBuffer(block)
	if setDirect(fd, true) != nil {
		return false
	}
	written, err := retried(func() (int, error) { return syscall.Pwrite(fd, block, 0) })
	if err != nil || written != len(block) {
		return false
	}
	resident, err := residentPages(fd, 0, blockBytes)
	return err == nil && resident == 0
}
