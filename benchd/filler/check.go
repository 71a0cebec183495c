package main

import (
	"bytes"
	"sync/atomic"
	"syscall"
	"time"
)

// check reads every listed byte from the medium and compares it with the keystream.
func check(request checkRequest, events *eventWriter) (int, error) {
	start := time.Now()
	where, err := openDirectory(request.directory)
	if err != nil {
		return 0, err
	}
	defer where.close()
	on, err := where.space()
	if err != nil {
		return 0, err
	}
	if on.inMemory {
		return 0, &fault{codeCacheNotEvicted, "this file system lives in the page cache: reading it proves nothing"}
	}
	work, err := newChecker(where, newKeystream(request.key))
	if err != nil {
		return 0, err
	}
	defer work.ahead.stop()

	beat := startHeartbeat(events, request.pace, start, &work.seen)
	var listedBytes int64
	for _, file := range request.files {
		listedBytes += file.Bytes
		if err = work.checkFile(file); err != nil {
			break
		}
	}
	beat.stop()
	if err != nil {
		return 0, err
	}
	events.emit(checkDoneEvent{"done", work.proven.Load(), work.bad.bytes, work.bad.runs,
		work.pastCache(), secondsSince(start)})
	if work.bad.bytes == 0 && work.proven.Load() == listedBytes {
		return exitDone, nil
	}
	return exitBad, nil
}

// checker is one check in progress.
type checker struct {
	where  *directory
	ahead  *readAhead
	buffer []byte
	// seen counts every byte that was looked at, good or bad: that is what goes forward.
	seen   atomic.Int64
	proven atomic.Int64
	bad    badRuns
	// direct and cached count the files read by O_DIRECT and through the emptied page cache.
	direct, cached int
}

func newChecker(where *directory, stream *keystream) (*checker, error) {
	buffer, err := alignedBuffer(chunkBytes)
	if err != nil {
		return nil, err
	}
	ahead, err := newReadAhead(stream)
	if err != nil {
		return nil, err
	}
	return &checker{where: where, ahead: ahead, buffer: buffer, bad: badRuns{runs: []badRun{}}}, nil
}

// pastCache names the weaker of the ways in which the files were read.
func (c *checker) pastCache() string {
	if c.direct > 0 && c.cached == 0 {
		return "o_direct"
	}
	return "evicted"
}

// checkFile proves one file or notes what is bad about it. A file that isn't
// there, or isn't a plain file of the listed size, is bad, not an error.
func (c *checker) checkFile(file filledFile) error {
	fd, err := c.where.openExisting(file.Name)
	if err != nil {
		c.bad.add(file.Name, 0, file.Bytes)
		return nil
	}
	defer func() { _ = syscall.Close(fd) }()
	var status syscall.Stat_t
	if err := syscall.Fstat(fd, &status); err != nil {
		return storageFault("look at "+file.Name, err)
	}
	if status.Mode&syscall.S_IFMT != syscall.S_IFREG {
		c.bad.add(file.Name, 0, file.Bytes)
		return nil
	}
	present := min(file.Bytes, status.Size)
	if err := evict(fd, file.Name, present); err != nil {
		return err
	}
	reader := &mediumReader{fd: fd, direct: setDirect(fd, true) == nil}
	c.compare(reader, file)
	if status.Size > file.Bytes {
		c.bad.add(file.Name, file.Bytes, status.Size-file.Bytes)
	}
	if left, err := residentPages(fd, present); err != nil || left > 0 || !reader.direct {
		c.cached++
	} else {
		c.direct++
	}
	return nil
}

// compare reads a file's listed bytes chunk by chunk and judges block by block.
func (c *checker) compare(reader blockReader, file filledFile) {
	for offset := int64(0); offset < file.Bytes; offset += chunkBytes {
		length := int(min(chunkBytes, file.Bytes-offset))
		expected := c.ahead.chunk(file.StreamOffset+offset, length)
		// What the buffer held before must not pass for what the medium gave.
		clear(c.buffer)
		count, err := reader.readAt(c.buffer, offset, length)
		if err != nil {
			c.compareSlowly(reader, file.Name, offset, expected)
			continue
		}
		c.judge(file.Name, offset, c.buffer[:count], expected)
	}
}

// compareSlowly goes over a chunk that can't be read as a whole, to lose only the blocks that are unreadable.
func (c *checker) compareSlowly(reader blockReader, name string, offset int64, expected []byte) {
	for start := 0; start < len(expected); start += blockBytes {
		end := min(start+blockBytes, len(expected))
		clear(c.buffer[:blockBytes])
		count, err := reader.readAt(c.buffer[:blockBytes], offset+int64(start), end-start)
		if err != nil {
			count = 0
		}
		c.judge(name, offset+int64(start), c.buffer[:count], expected[start:end])
	}
}

// judge compares what was read with what must be there; a missing rest is bad.
func (c *checker) judge(name string, offset int64, got, expected []byte) {
	defer c.seen.Add(int64(len(expected)))
	if bytes.Equal(got, expected) {
		c.proven.Add(int64(len(expected)))
		return
	}
	for start := 0; start < len(expected); start += blockBytes {
		end := min(start+blockBytes, len(expected))
		if end <= len(got) && bytes.Equal(got[start:end], expected[start:end]) {
			c.proven.Add(int64(end - start))
		} else {
			c.bad.add(name, offset+int64(start), int64(end-start))
		}
	}
}
