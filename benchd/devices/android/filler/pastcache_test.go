package main

import (
	"syscall"
	"testing"
)

// cachedFile gives a file of the stream, open for reading, with all of it in the page cache.
func cachedFile(t *testing.T, size int64) (string, int) {
	t.Helper()
	folder := diskFolder(t)
	status, events := command(t, "fill", fillMap(folder, size, size))
	if status != exitDone {
		t.Fatalf("fill: %d, %v", status, last(events))
	}
	content(t, folder, 0)
	where, err := openDirectory(folder)
	if err != nil {
		t.Fatal(err)
	}
	where.close()
	fd, err := syscall.Open(folder+"/"+fillName(0), syscall.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if resident, err := residentPages(fd, 0, size); err != nil || resident == 0 {
		t.Skipf("%d pages are cached, %v: this disk keeps no cache", resident, err)
	}
	return folder, fd
}

// keepInCache nails a stretch of a file to the page cache for the rest of the test.
func keepInCache(t *testing.T, fd int, offset int64, size int) {
	t.Helper()
	mapped, err := syscall.Mmap(fd, offset, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(mapped) })
	if err := syscall.Mlock(mapped); err != nil {
		t.Skipf("no memory may be locked here: %v", err)
	}
}

func TestWhatIsCachedIsEmptiedBeforeEachRead(t *testing.T) {
	_, fd := cachedFile(t, chunkBytes)
	reader := newMediumReader(fd)
	buffer, err := alignedBuffer(chunkBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer freeBuffer(buffer)
	count, err := reader.readAt(buffer, 0, chunkBytes)
	if err != nil || count != chunkBytes || reader.shown.Load() != chunkBytes || reader.unshown.Load() != nil {
		t.Errorf("read %d, %v; shown %d", count, err, reader.shown.Load())
	}
}

func TestOnlyWhatIsReadNeedsToBeOutOfTheCache(t *testing.T) {
	_, fd := cachedFile(t, 2*chunkBytes)
	keepInCache(t, fd, chunkBytes, blockBytes)
	reader := newMediumReader(fd)
	buffer, err := alignedBuffer(chunkBytes)
	if err != nil {
		t.Fatal(err)
	}
	defer freeBuffer(buffer)
	if _, err := reader.readAt(buffer, 0, chunkBytes); err != nil {
		t.Error(err)
	}
	if _, err := reader.readAt(buffer, chunkBytes, chunkBytes); err == nil || reader.unshown.Load() == nil {
		t.Errorf("read out of the cache: %v", err)
	}
	if shown := reader.shown.Load(); shown != chunkBytes {
		t.Errorf("%d bytes are shown", shown)
	}
}

func TestAReadThatCannotBeShownFailsTheCheck(t *testing.T) {
	folder, fd := cachedFile(t, 2*chunkBytes)
	keepInCache(t, fd, chunkBytes, blockBytes)
	request := map[string]any{"directory": folder, "key": testKeyHex, "file_bytes": 2 * chunkBytes,
		"progress_s": 60.0, "files": []any{map[string]any{
			"name": fillName(0), "stream_offset": 0, "bytes": 2 * chunkBytes}}}
	status, events := command(t, "check", request)
	if status != exitIO || last(events)["code"] != string(codeCacheNotEvicted) {
		t.Errorf("check: %d, %v", status, last(events))
	}
}

func TestAFileThatIsFilledInMidReadIsNoProof(t *testing.T) {
	folder, fd := cachedFile(t, 2*chunkBytes)
	where, err := openDirectory(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer where.close()
	work, err := newChecker(where, newKeystream(testKey))
	if err != nil {
		t.Fatal(err)
	}
	defer work.stop()
	reader := newMediumReader(fd)
	keepInCache(t, fd, 0, blockBytes)
	work.compare(reader, filledFile{fillName(0), 0, 2 * chunkBytes})
	if reader.unshown.Load() == nil || work.proven.Load() > 2*chunkBytes-blockBytes {
		t.Errorf("proven %d, %v", work.proven.Load(), reader.unshown.Load())
	}
}
