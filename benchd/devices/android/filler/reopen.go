package main

import (
	"bytes"
	"errors"
	"syscall"
)

// reopen goes on with a file of an earlier fill as far as it proves itself: what is on the
// medium decides, not the file's size or who has written it. The file is cut off after the
// last proven block, so that nothing else is taken for proven later.
func (d *disk) reopen(name string, streamOffset, size int64) (mediumFile, int64, error) {
	fd, err := d.where.openWritable(name)
	if errors.Is(err, syscall.ENOENT) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, d.where.removeAny(name)
	}
	var status syscall.Stat_t
	if err := syscall.Fstat(fd, &status); err != nil || status.Mode&syscall.S_IFMT != syscall.S_IFREG {
		_ = syscall.Close(fd)
		return nil, 0, d.where.removeAny(name)
	}
	proven := int64(0)
	if evict(fd, name, status.Size) == nil {
		proven = d.proven(fd, streamOffset, min(size, status.Size)&^(blockBytes-1))
	}
	if proven == 0 {
		_ = syscall.Close(fd)
		return nil, 0, d.where.remove(name)
	}
	file, err := d.readied(fd, name)
	if err != nil {
		return nil, 0, err
	}
	if status.Size > proven {
		if err := interrupted(func() error { return syscall.Ftruncate(fd, proven) }); err != nil {
			return nil, 0, err
		}
		if err := file.sync(); err != nil {
			return nil, 0, err
		}
	}
	return file, proven, nil
}

// proven reads an evicted file up to the first block that isn't the stream's, or can't be read.
func (d *disk) proven(fd int, streamOffset, size int64) int64 {
	reader := newMediumReader(fd)
	if d.reader == nil {
		work, err := newChecker(d.where, d.stream)
		if err != nil {
			return 0
		}
		d.reader = work
	}
	proven := int64(0)
	d.reader.read(reader, streamOffset, []stretch{{0, size}}, func(offset int64, got, expected []byte) bool {
		good := 0
		for good < len(expected) && good+blockBytes <= len(got) &&
			bytes.Equal(got[good:good+blockBytes], expected[good:good+blockBytes]) {
			good += blockBytes
		}
		proven = offset + int64(good)
		d.counted.Add(int64(good))
		return good == len(expected)
	})
	return proven
}
