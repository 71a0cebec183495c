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
	const attempts = 10
	var resident int64
	for attempt := range attempts {
		// Pages on their way between the kernel's lists are passed over: try again.
		time.Sleep(time.Duration(attempt) * 10 * time.Millisecond)
		if err := adviseFile(fd, 0, 0, adviseDontNeed); err != nil {
			return &fault{codeCacheNotEvicted, fmt.Sprintf("%s: the page cache can't be emptied: %v", name, err)}
		}
		var err error
		if resident, err = residentPages(fd, size); err != nil {
			return &fault{codeCacheNotEvicted, fmt.Sprintf("%s: can't see what is in the page cache: %v", name, err)}
		}
		if resident == 0 {
			return nil
		}
	}
	return &fault{codeCacheNotEvicted, fmt.Sprintf("%s: %d pages stay in the page cache", name, resident)}
}

// blockReader gives a file's bytes as the medium has them.
type blockReader interface {
	// readAt reads length bytes into the buffer, whose size is a multiple of the
	// block size; at the end of the file there may be fewer.
	readAt(buffer []byte, offset int64, length int) (int, error)
}

// mediumReader reads an evicted file, by O_DIRECT as long as the file system takes it.
type mediumReader struct {
	fd     int
	direct atomic.Bool
}

func (r *mediumReader) readAt(buffer []byte, offset int64, length int) (int, error) {
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
