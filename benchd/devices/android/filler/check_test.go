package main

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

const (
	testFileBytes  = 2 * chunkBytes
	testTotalBytes = 2*testFileBytes + 300*blockBytes
)

// filledFolder fills a folder with two whole files and a shorter one and gives the request to check it.
func filledFolder(t *testing.T) (string, map[string]any) {
	t.Helper()
	folder := diskFolder(t)
	status, events := command(t, "fill", fillMap(folder, testFileBytes, testTotalBytes))
	if status != exitDone || last(events)["bytes"] != float64(testTotalBytes) {
		t.Fatalf("fill: %d, %v", status, last(events))
	}
	return folder, map[string]any{"directory": folder, "key": testKeyHex, "file_bytes": testFileBytes,
		"progress_s": 60.0, "files": last(events)["files"]}
}

// patch overwrites part of a file.
func patch(t *testing.T, folder string, index int, offset int64, data []byte) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(folder, fillName(index)), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(data, offset); err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, folder string, index int) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, fillName(index)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// wantBad demands exit code 1 and exactly these bad runs.
func wantBad(t *testing.T, request map[string]any, badBytes int64, runs ...badRun) {
	t.Helper()
	status, events := command(t, "check", request)
	done := last(events)
	if status != exitBad || done["event"] != "done" || done["bytes_bad"] != float64(badBytes) {
		t.Fatalf("check: %d, %v", status, done)
	}
	listed := done["bad"].([]any)
	if len(listed) != len(runs) {
		t.Fatalf("bad runs %v, want %v", listed, runs)
	}
	for index, run := range runs {
		got := listed[index].(map[string]any)
		if got["name"] != run.Name || got["offset"] != float64(run.Offset) || got["bytes"] != float64(run.Bytes) {
			t.Errorf("bad run %v, want %+v", got, run)
		}
	}
}

func TestCheckProvesAFill(t *testing.T) {
	folder, request := filledFolder(t)
	status, events := command(t, "check", request)
	done := last(events)
	if status != exitDone || done["bytes_proven"] != float64(testTotalBytes) || done["bytes_bad"] != 0.0 {
		t.Fatalf("check: %d, %v", status, done)
	}
	if past := done["past_cache"]; past != "o_direct" && past != "evicted" {
		t.Errorf("past_cache is %v", past)
	}
	status, events = command(t, "drop", map[string]any{"directory": folder})
	if status != exitDone || last(events)["files_removed"] != 3.0 {
		t.Fatalf("drop: %d, %v", status, last(events))
	}
	left, _ := os.ReadDir(folder)
	if len(left) != 1 || left[0].Name() != lockName {
		t.Errorf("left behind: %v", left)
	}
}

func TestCheckFindsDamagedBlocks(t *testing.T) {
	folder, request := filledFolder(t)
	whole := content(t, folder, 1)
	const at = 77 * blockBytes
	block := whole[at : at+blockBytes]
	damages := map[string][]byte{
		"lost, older data still there": bytes.Repeat([]byte("customer"), blockBytes/8),
		"torn, only half of it new":    append(bytes.Clone(block[:blockBytes/2]), make([]byte, blockBytes/2)...),
		"repeated, the block before":   whole[at-blockBytes : at],
		"moved, from another file":     content(t, folder, 0)[at : at+blockBytes],
		"stuck at zero":                make([]byte, blockBytes),
		"stuck at one":                 bytes.Repeat([]byte{0xff}, blockBytes),
		"one bit flipped at the end":   append(bytes.Clone(block[:blockBytes-1]), block[blockBytes-1]^1),
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			patch(t, folder, 1, at, damage)
			wantBad(t, request, blockBytes, badRun{fillName(1), at, blockBytes})
		})
	}
	t.Run("two blocks swapped", func(t *testing.T) {
		patch(t, folder, 1, at, whole[at+5*blockBytes:at+6*blockBytes])
		patch(t, folder, 1, at+5*blockBytes, block)
		wantBad(t, request, 2*blockBytes, badRun{fillName(1), at, blockBytes},
			badRun{fillName(1), at + 5*blockBytes, blockBytes})
		patch(t, folder, 1, 0, whole)
	})
	t.Run("a stretch over a chunk border is one run", func(t *testing.T) {
		patch(t, folder, 1, chunkBytes-3*blockBytes, make([]byte, 6*blockBytes))
		wantBad(t, request, 6*blockBytes, badRun{fillName(1), chunkBytes - 3*blockBytes, 6 * blockBytes})
	})
	t.Run("another key", func(t *testing.T) {
		other := map[string]any{}
		for key, value := range request {
			other[key] = value
		}
		other["key"] = "00000000000000000000000000000000"
		wantBad(t, other, testTotalBytes, badRun{fillName(0), 0, testFileBytes},
			badRun{fillName(1), 0, testFileBytes}, badRun{fillName(2), 0, 300 * blockBytes})
	})
}

func TestCheckFindsWrongFiles(t *testing.T) {
	const tailBytes = 300 * blockBytes
	all := badRun{fillName(2), 0, tailBytes}
	tests := map[string]struct {
		spoil func(path string) error
		run   badRun
	}{
		"missing": {os.Remove, all},
		"empty":   {func(path string) error { return os.Truncate(path, 0) }, all},
		"shorter": {func(path string) error { return os.Truncate(path, tailBytes-1) },
			badRun{fillName(2), tailBytes - blockBytes, blockBytes}},
		"longer": {func(path string) error { return os.Truncate(path, tailBytes+1) }, badRun{fillName(2), tailBytes, 1}},
		"a symlink to the same bytes": {func(path string) error {
			if err := os.Rename(path, path+".moved"); err != nil {
				return err
			}
			return os.Symlink(path+".moved", path)
		}, all},
		"a pipe": {func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return syscall.Mkfifo(path, 0o600)
		}, all},
		"a directory": {func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Mkdir(path, 0o700)
		}, all},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			folder, request := filledFolder(t)
			if err := test.spoil(filepath.Join(folder, fillName(2))); err != nil {
				t.Fatal(err)
			}
			wantBad(t, request, test.run.Bytes, test.run)
		})
	}
}

func TestAtMost64RunsAreListed(t *testing.T) {
	folder, request := filledFolder(t)
	for index := range int64(100) {
		patch(t, folder, 0, index*2*blockBytes, []byte("damage"))
	}
	status, events := command(t, "check", request)
	done := last(events)
	if status != exitBad || done["bytes_bad"] != float64(100*blockBytes) || len(done["bad"].([]any)) != maxBadRuns {
		t.Errorf("check: %d, %v", status, done)
	}
}

// failingReader gives the right bytes, but can't read some blocks.
type failingReader struct {
	stream     *keystream
	unreadable map[int64]bool
}

func (r *failingReader) readAt(buffer []byte, offset int64, length int) (int, error) {
	for block := offset &^ (blockBytes - 1); block < offset+int64(length); block += blockBytes {
		if r.unreadable[block] {
			return 0, syscall.EIO
		}
	}
	r.stream.fillAt(buffer[:length], offset)
	return length, nil
}

func TestUnreadableBlocksAreBad(t *testing.T) {
	stream := newKeystream(testKey)
	work, err := newChecker(nil, stream)
	if err != nil {
		t.Fatal(err)
	}
	defer work.ahead.stop()
	size := int64(2*chunkBytes + 100)
	reader := &failingReader{stream, map[int64]bool{5 * blockBytes: true, 6 * blockBytes: true, 2 * chunkBytes: true}}
	work.compare(reader, filledFile{fillName(0), 0, size})
	if work.bad.bytes != 2*blockBytes+100 || work.proven.Load() != size-work.bad.bytes || len(work.bad.runs) != 2 {
		t.Errorf("proven %d, bad %+v", work.proven.Load(), work.bad)
	}
}

func TestBufferedWayProvesToo(t *testing.T) {
	folder := diskFolder(t)
	where, err := makeDirectory(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer where.close()
	const size = 3*chunkBytes + blockBytes
	file, err := (&disk{where: where}).create(fillName(0))
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, size)
	newKeystream(testKey).fillAt(data, 0)
	if count, err := file.writeAt(data, 0); err != nil || count != size {
		t.Fatal(count, err)
	}
	if err := file.finish(size); err != nil {
		t.Fatal(err)
	}
	fd, err := where.openExisting(fillName(0))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if resident, err := residentPages(fd, 0, size); err != nil || resident == 0 {
		t.Fatalf("%d pages are cached, %v: the test shows nothing", resident, err)
	}
	if err := evict(fd, fillName(0), size); err != nil {
		t.Skipf("this file system keeps its cache: %v", err)
	}
	work, err := newChecker(where, newKeystream(testKey))
	if err != nil {
		t.Fatal(err)
	}
	defer work.ahead.stop()
	work.compare(&mediumReader{fd: fd}, filledFile{fillName(0), 0, size})
	if work.proven.Load() != size || work.bad.bytes != 0 {
		t.Errorf("proven %d, bad %+v", work.proven.Load(), work.bad)
	}
}

func TestMemoryProvesNothing(t *testing.T) {
	base, err := os.MkdirTemp("/dev/shm", "benchd-fill-test-")
	if err != nil {
		t.Skipf("no folder in memory: %v", err)
	}
	defer os.RemoveAll(base)
	folder := filepath.Join(base, "work")
	status, events := command(t, "fill", fillMap(folder, testFileBytes, testFileBytes))
	if status != exitDone || events[0]["mode"] != "buffered" {
		t.Fatalf("fill: %d, %v", status, events)
	}
	request := map[string]any{"directory": folder, "key": testKeyHex, "file_bytes": testFileBytes,
		"progress_s": 60.0, "files": last(events)["files"]}
	status, events = command(t, "check", request)
	if status != exitIO || last(events)["code"] != string(codeCacheNotEvicted) {
		t.Errorf("check: %d, %v", status, last(events))
	}
	// The same without asking for the kind of file system: the pages themselves tell.
	fd, err := syscall.Open(filepath.Join(folder, fillName(0)), syscall.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	wantCode(t, evict(fd, fillName(0), testFileBytes), codeCacheNotEvicted)
}
