package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// logsFolder fills a folder as if its file system had a log for each kind of data.
func logsFolder(t *testing.T) (string, map[string]any, map[string]any) {
	t.Helper()
	folder := diskFolder(t)
	request := fillMap(folder, 16<<20, 40<<20)
	request["layout"] = layoutLogs
	status, events := command(t, "fill", request)
	if status != exitDone {
		t.Fatalf("fill: %d, %v", status, last(events))
	}
	done := last(events)
	return folder, done, map[string]any{"directory": folder, "key": testKeyHex, "file_bytes": 16 << 20,
		"progress_s": 60.0, "files": done["files"], "small_files": done["small_files"]}
}

func TestEachLogIsReached(t *testing.T) {
	folder, done, request := logsFolder(t)
	var names []string
	for _, file := range done["files"].([]any) {
		names = append(names, file.(map[string]any)["name"].(string))
	}
	want := "fill-000000.db fill-000001.jpg fill-000002.short fill-000003.long fill-000004.dat"
	if strings.Join(names, " ") != want || done["logs"] != logsByBoth {
		t.Errorf("files %q, want %s; logs %v", names, want, done["logs"])
	}
	if done["small_files"] != float64(smallFilesFirst) || done["directories"] != float64(directoriesFirst) {
		t.Errorf("done: %v", done)
	}
	small, _ := filepath.Glob(filepath.Join(folder, "small-*.dat"))
	made, _ := filepath.Glob(filepath.Join(folder, "dir-*"))
	if len(small) != smallFilesFirst || len(made) != directoriesFirst {
		t.Errorf("%d small files, %d directories", len(small), len(made))
	}
	status, events := command(t, "check", request)
	if status != exitDone || last(events)["bytes_proven"] != float64(40<<20) ||
		last(events)["small_same"] != float64(smallFilesFirst) {
		t.Errorf("check: %d, %v", status, last(events))
	}
	status, events = command(t, "drop", map[string]any{"directory": folder})
	if status != exitDone || last(events)["files_removed"] != 5.0 {
		t.Errorf("drop: %d, %v", status, last(events))
	}
	if left, _ := os.ReadDir(folder); len(left) != 1 || left[0].Name() != lockName {
		t.Errorf("left behind: %v", left)
	}
}

func TestSmallFilesGoForwardButProveNothing(t *testing.T) {
	folder, _, _ := logsFolder(t)
	where, err := openDirectory(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer where.close()
	work, err := newChecker(where, newStream(testKey, cipherAuto))
	if err != nil {
		t.Fatal(err)
	}
	defer work.stop()
	same, err := work.sameSmallFiles(7)
	if err != nil || same != 7 || work.seen.Load() != 7*smallBytes || work.proven.Load() != 0 {
		t.Errorf("%d same, %v; seen %d, proven %d", same, err, work.seen.Load(), work.proven.Load())
	}
}

func TestASmallFileThatDiffersIsNotSame(t *testing.T) {
	folder, _, request := logsFolder(t)
	if err := os.WriteFile(filepath.Join(folder, smallName(7)), []byte("damage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(folder, smallName(9))); err != nil {
		t.Fatal(err)
	}
	status, events := command(t, "check", request)
	done := last(events)
	if status != exitBad || done["small_same"] != float64(smallFilesFirst-2) || done["bytes_bad"] != 0.0 ||
		done["bytes_proven"] != float64(40<<20) {
		t.Errorf("check: %d, %v", status, done)
	}
}

func TestTheBodyKeepsTheHeadroom(t *testing.T) {
	target := newSmallMedium(5000)
	request := fillRequest{streamRequest: streamRequest{key: testKey, fileBytes: 1000 * blockBytes, pace: time.Hour}}
	work := newFiller(target, newTestAhead(t), request, layoutFor(layoutPlain, space{}, abilities{}), new(atomic.Int64))
	work.headroom = 600 * blockBytes
	if err := work.run(); err != nil {
		t.Fatal(err)
	}
	wantStream(t, work, target, 5000*blockBytes)
	var body, tail int64
	for _, file := range work.files {
		if isTailName(file.Name) {
			tail += file.Bytes
		} else {
			body += file.Bytes
		}
	}
	if tail < work.headroom || tail >= work.headroom+chunkBytes || work.fullSince.IsZero() {
		t.Errorf("%d bytes in the body, %d in the tail", body, tail)
	}
}

func TestEachLogGetsItsShareOfTheTail(t *testing.T) {
	// 1272 gives pieces of an odd number of blocks, which are halved when they find no room.
	for _, blocks := range []int{30, 1272, 3000} {
		eachLogGetsItsShare(t, blocks, abilities{}, 3)
		eachLogGetsItsShare(t, blocks, abilities{lifetimes: true}, 5)
	}
}

func eachLogGetsItsShare(t *testing.T, blocks int, seen abilities, ways int) {
	t.Helper()
	{
		target := newSmallMedium(20000 + blocks)
		target.inodeCost, target.wholeOnly = 1, true
		request := fillRequest{streamRequest: streamRequest{key: testKey, fileBytes: 100_000 * blockBytes, pace: time.Hour}}
		work := newFiller(target, newTestAhead(t), request, layoutFor(layoutLogs, space{}, seen), new(atomic.Int64))
		work.headroom = int64(blocks) * blockBytes
		if err := work.run(); err != nil {
			t.Fatal(err)
		}
		more := min(blocks*3/4/8, segmentBlocks)
		if target.freeBlocks != 0 || target.madeDirectories != directoriesFirst+more ||
			work.smallFiles != smallFilesFirst+more {
			t.Errorf("%d blocks were left, %d directories, %d small files",
				target.freeBlocks, target.madeDirectories, work.smallFiles)
		}
		ends := map[string]bool{}
		for _, file := range work.files {
			if isTailName(file.Name) {
				ends[filepath.Ext(file.Name)] = true
			}
		}
		if len(ends) != ways {
			t.Errorf("tail with %d blocks: only %v", blocks, ends)
		}
	}
}

func TestOnlyTheTailIsDropped(t *testing.T) {
	folder, request := filledFolder(t)
	tail := fileName{index: 3, tail: true, end: hotEnd}.String()
	if err := os.WriteFile(filepath.Join(folder, tail), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, events := command(t, "drop", map[string]any{"directory": folder, "only_tail": true})
	if status != exitDone || last(events)["files_removed"] != 1.0 || last(events)["trim"] != "not_asked" {
		t.Errorf("drop: %d, %v", status, last(events))
	}
	if status, events = command(t, "check", request); status != exitDone {
		t.Errorf("check: %d, %v", status, last(events))
	}
	status, events = command(t, "drop", map[string]any{"directory": folder})
	words := map[any]bool{"done": true, "not_allowed": true, "not_supported": true}
	if status != exitDone || !words[last(events)["trim"]] {
		t.Errorf("drop: %d, %v", status, last(events))
	}
}
