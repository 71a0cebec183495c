package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
)

// evict empties the page cache of a file and insists on it. It is done for
// O_DIRECT too: file systems exist that take the flag and read from the cache.
func evict(fd int, name string, size int64) error {
	if err := interrupted(func() error { return syscall.Fsync(fd) }); err != nil {
		return storageFault("fsync "+name, err)
	}
	if err := emptyCache(fd, 0, size); err != nil {
		return &fault{codeCacheNotEvicted, name + ": " + err.Error()}
	}
	return nil
}

// emptyCache returns without error once the kernel has shown that none of these bytes of a file
// is in its page cache. Where it may not be seen, nothing is shown.
func emptyCache(fd int, offset, size int64) error {
	const attempts = 10
	var resident int64
	for attempt := range attempts {
		// Pages on their way between the kernel's lists are passed over: try again.
		time.Sleep(time.Duration(attempt) * 10 * time.Millisecond)
		if err := adviseFile(fd, 0, 0, adviseDontNeed); err != nil {
			return fmt.Errorf("the page cache can't be emptied: %w", err)
		}
		var err error
		if resident, err = residentPages(fd, offset, size); err != nil {
			return fmt.Errorf("can't see what is in the page cache: %w", err)
		}
		if resident == 0 {
			return nil
		}
	}
	return fmt.Errorf("%d pages stay in the page cache", resident)
}

// blockReader gives a file's bytes as the medium has them.
type blockReader interface {
	// readAt reads length bytes into the buffer, whose size is a multiple of the
	// block size; at the end of the file there may be fewer.
	readAt(buffer []byte, offset int64, length int) (int, error)
}

// mediumReader reads a file, by O_DIRECT as long as the file system takes it, and only what was
// shown not to be in the page cache right before.
type mediumReader struct {
	fd     int
	direct atomic.Bool
	// shown counts the bytes that were read so; cached is true once any of them was seen in the
	// cache afterwards, so that it was the cache that had to fetch it.
	shown  atomic.Int64
	cached atomic.Bool
	// unshown is why a read can't be shown to have come from the medium, if one can't.
	unshown atomic.Pointer[fault]
}

// newMediumReader readies an open file for reading past its cache.
func newMediumReader(fd int) *mediumReader {
	reader := &mediumReader{fd: fd}
	reader.direct.Store(setDirect(fd, true) == nil)
	// What the kernel reads ahead would lie in the cache when its turn comes. A wish only.
	_ = adviseFile(fd, 0, 0, adviseRandom)
	return reader
}

// past says whether all was read by O_DIRECT and nothing of it was in the cache before or after.
func (r *mediumReader) past() bool { return r.direct.Load() && !r.cached.Load() }

func (r *mediumReader) readAt(buffer []byte, offset int64, length int) (int, error) {
	if err := r.showEmpty(offset, length); err != nil {
		return 0, err
	}
	done, err := r.fetch(buffer, offset, length)
	if err != nil {
		return 0, err
	}
	if left, err := residentPages(r.fd, offset, int64(length)); err != nil || left > 0 {
		r.cached.Store(true)
	}
	r.shown.Add(int64(done))
	return done, nil
}

// showEmpty makes sure that the cache can't answer the next read.
func (r *mediumReader) showEmpty(offset int64, length int) error {
	if resident, err := residentPages(r.fd, offset, int64(length)); err == nil && resident == 0 {
		return nil
	}
	err := emptyCache(r.fd, offset, int64(length))
	if err != nil {
		found := &fault{codeCacheNotEvicted, fmt.Sprintf("byte %d: %v", offset, err)}
		r.unshown.Store(found)
		return found
	}
	return nil
}

// fetch reads until all is there, or the file ends.
func (r *mediumReader) fetch(buffer []byte, offset int64, length int) (int, error) {
	asked := buffer[:(length+blockBytes-1)&^(blockBytes-1)]
	done := 0
	for done < length {
		count, err := retried(func() (int, error) { return syscall.Pread(r.fd, asked[done:], offset+int64(done)) })
		if r.direct.Load() && errors.Is(err, syscall.EINVAL) && setDirect(r.fd, false) == nil {
			r.direct.Store(false) // the cache is empty: reading through it reaches the medium as well
			continue
		}
		if err != nil {
			return 0, err
		}
		if count == 0 {
			break
		}
		done += count
	}
	return min(done, length), nil
}
