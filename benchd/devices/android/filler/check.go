package main

import (
	"sync/atomic"
	"syscall"
	"time"
)

// check reads the listed bytes from the medium, all of them or those in the ranges, and
// compares them with the keystream.
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
	work, err := newChecker(where, newStream(request.key, request.cipher))
	if err != nil {
		return 0, err
	}
	defer work.stop()

	beat := startHeartbeat(events, request.pace, start, &work.seen, where)
	for index, file := range request.files {
		if err = work.checkFile(file, request.stretches(index)); err != nil {
			break
		}
	}
	smallSame := 0
	if err == nil {
		smallSame, err = work.sameSmallFiles(request.smallFiles)
	}
	beat.stop()
	if err != nil {
		return 0, err
	}
	ordered := request.orderedBytes()
	events.emit(checkDoneEvent{
		Event:        "done",
		BytesOrdered: ordered,
		BytesProven:  work.proven.Load(),
		BytesShown:   work.shown,
		BytesBad:     work.bad.bytes,
		Bad:          work.bad.runs,
		SmallSame:    smallSame,
		PastCache:    work.pastCache(),
		ElapsedS:     secondsSince(start),
	})
	allProven := work.proven.Load() == ordered && work.shown >= ordered
	if work.bad.bytes == 0 && allProven && smallSame == request.smallFiles {
		return exitDone, nil
	}
	return exitBad, nil
}

// checker is one check in progress.
type checker struct {
	where  *directory
	ahead  *readAhead
	pieces []*piece
	// seen counts every byte that was looked at, good or bad: that is what goes forward.
	seen   atomic.Int64
	proven atomic.Int64
	bad    badRuns
	// shown are bytes that were read right after the page cache was seen not to hold them.
	shown int64
	// direct and cached count the files read by O_DIRECT and through the emptied page cache.
	direct, cached int
}

func newChecker(where *directory, stream generator) (*checker, error) {
	ahead, err := newReadAhead(stream)
	if err != nil {
		return nil, err
	}
	work := &checker{where: where, ahead: ahead, bad: badRuns{runs: []badRun{}}}
	for range piecesAhead {
		buffer, err := alignedBuffer(chunkBytes)
		if err != nil {
			return nil, err
		}
		work.pieces = append(work.pieces, &piece{buffer: buffer, ready: make(chan struct{}, 1)})
	}
	return work, nil
}

// stop ends all that works for the check.
func (c *checker) stop() {
	c.ahead.stop()
	for _, empty := range c.pieces {
		freeBuffer(empty.buffer)
	}
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
func (c *checker) checkFile(file filledFile, stretches []stretch) error {
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
	reader := newMediumReader(fd)
	c.compareStretches(reader, file, stretches)
	if unshown := reader.unshown.Load(); unshown != nil {
		return &fault{unshown.code, file.Name + ": " + unshown.message}
	}
	c.shown += reader.shown.Load()
	if status.Size > file.Bytes {
		c.bad.add(file.Name, file.Bytes, status.Size-file.Bytes)
	}
	if status.Size < file.Bytes && !coversEnd(stretches, file.Bytes) {
		c.bad.add(file.Name, status.Size, file.Bytes-status.Size)
	}
	if len(stretches) == 0 {
		return nil
	}
	if reader.past() {
		c.direct++
	} else {
		c.cached++
	}
	return nil
}

// coversEnd says whether reading these stretches notices that a file of this size is too short.
func coversEnd(stretches []stretch, size int64) bool {
	return len(stretches) == 1 && stretches[0] == stretch{0, size}
}

// compare reads all of a file's listed bytes.
func (c *checker) compare(reader blockReader, file filledFile) {
	c.compareStretches(reader, file, []stretch{{0, file.Bytes}})
}

// compareStretches reads chunk by chunk and judges block by block.
func (c *checker) compareStretches(reader blockReader, file filledFile, stretches []stretch) {
	c.read(reader, file.StreamOffset, stretches, func(offset int64, got, expected []byte) bool {
		if got == nil {
			c.compareSlowly(reader, file.Name, offset, expected)
		} else {
			c.judge(file.Name, offset, got, expected)
		}
		return true
	})
}

// compareSlowly goes over a chunk that can't be read as a whole, to lose only the blocks that are unreadable.
func (c *checker) compareSlowly(reader blockReader, name string, offset int64, expected []byte) {
	buffer, err := alignedBuffer(blockBytes)
	if err != nil {
		c.judge(name, offset, nil, expected)
		return
	}
	defer freeBuffer(buffer)
	for start := 0; start < len(expected); start += blockBytes {
		end := min(start+blockBytes, len(expected))
		clear(buffer)
		count, err := reader.readAt(buffer, offset+int64(start), end-start)
		if err != nil {
			count = 0
		}
		c.judge(name, offset+int64(start), buffer[:count], expected[start:end])
	}
}

// judge compares what was read with what must be there; a missing rest is bad.
func (c *checker) judge(name string, offset int64, got, expected []byte) {
	defer c.seen.Add(int64(len(expected)))
	bad := compareBlocks(got, expected, func(start, end int) {
		c.bad.add(name, offset+int64(start), int64(end-start))
	})
	c.proven.Add(int64(len(expected)) - bad)
}

// sameSmallFiles counts the small files that are as they must be.
func (c *checker) sameSmallFiles(count int) (int, error) {
	same := 0
	for index := range count {
		// With counters of its own: they say nothing about how much of the medium is proven.
		// But they go forward, and thousands of them take long on slow storage.
		c.seen.Add(smallBytes)
		apart := &checker{where: c.where, ahead: c.ahead, pieces: c.pieces}
		file := filledFile{smallName(index), smallOffset(index), smallBytes}
		if err := apart.checkFile(file, []stretch{{0, smallBytes}}); err != nil {
			return 0, err
		}
		if apart.bad.bytes == 0 && apart.proven.Load() == smallBytes {
			same++
		}
	}
	return same, nil
}
