package main

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// resumed runs a second fill with the same key over what the first has left.
func resumed(t *testing.T, folder string, changes map[string]any) map[string]any {
	t.Helper()
	request := fillMap(folder, testFileBytes, testTotalBytes)
	request["resume"] = true
	for key, value := range changes {
		request[key] = value
	}
	status, events := command(t, "fill", request)
	if status != exitDone {
		t.Fatalf("fill: %d, %v", status, last(events))
	}
	return last(events)
}

// wantProven checks all that a fill says it has written.
func wantProven(t *testing.T, folder string, done map[string]any, key string) {
	t.Helper()
	request := map[string]any{"directory": folder, "key": key, "file_bytes": testFileBytes,
		"progress_s": 60.0, "files": done["files"]}
	status, events := command(t, "check", request)
	if status != exitDone || last(events)["bytes_proven"] != done["bytes"] {
		t.Errorf("check: %d, %v", status, last(events))
	}
}

func TestWhatProvesItselfIsNotWrittenAgain(t *testing.T) {
	folder, _ := filledFolder(t)
	before := inodes(t, folder)
	done := resumed(t, folder, nil)
	if done["resumed_bytes"] != float64(testTotalBytes) || done["bytes"] != float64(testTotalBytes) {
		t.Errorf("done: %v", done)
	}
	if after := inodes(t, folder); len(after) != len(before) {
		t.Errorf("files %v, before %v", after, before)
	} else {
		for name, inode := range before {
			if after[name] != inode {
				t.Errorf("%s is another file now", name)
			}
		}
	}
	wantProven(t, folder, done, testKeyHex)
}

func inodes(t *testing.T, folder string) map[string]uint64 {
	t.Helper()
	found := map[string]uint64{}
	names, err := filepath.Glob(filepath.Join(folder, "fill-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		var status syscall.Stat_t
		if err := syscall.Stat(name, &status); err != nil {
			t.Fatal(err)
		}
		found[name] = status.Ino
	}
	return found
}

func TestTheProofEndsAtTheFirstBadBlock(t *testing.T) {
	damages := map[string]struct {
		spoil  func(t *testing.T, folder string)
		proven int64
	}{
		"a bit in the middle of a file": {func(t *testing.T, folder string) {
			patch(t, folder, 1, 77*blockBytes+4095, []byte{content(t, folder, 1)[77*blockBytes+4095] ^ 1})
		}, testTotalBytes - (testFileBytes - 77*blockBytes)},
		"the first byte of a file": {func(t *testing.T, folder string) {
			patch(t, folder, 0, 0, []byte{content(t, folder, 0)[0] ^ 0x80})
		}, testTotalBytes - testFileBytes},
		"a file cut off inside a block": {func(t *testing.T, folder string) {
			if err := os.Truncate(filepath.Join(folder, fillName(2)), 5*blockBytes+17); err != nil {
				t.Fatal(err)
			}
		}, 2*testFileBytes + 5*blockBytes},
		"a hole where a write was lost": {func(t *testing.T, folder string) {
			patch(t, folder, 1, 10*blockBytes, make([]byte, blockBytes))
		}, testTotalBytes - (testFileBytes - 10*blockBytes)},
		"two files that changed their names": {func(t *testing.T, folder string) {
			at := func(index int) string { return filepath.Join(folder, fillName(index)) }
			for _, move := range [][2]string{{at(0), at(9)}, {at(1), at(0)}, {at(9), at(1)}} {
				if err := os.Rename(move[0], move[1]); err != nil {
					t.Fatal(err)
				}
			}
		}, 300 * blockBytes},
		"a missing file": {func(t *testing.T, folder string) {
			if err := os.Remove(filepath.Join(folder, fillName(1))); err != nil {
				t.Fatal(err)
			}
		}, testTotalBytes - testFileBytes},
		"a pipe, a symlink and a directory": {func(t *testing.T, folder string) {
			for index := range 3 {
				if err := os.Remove(filepath.Join(folder, fillName(index))); err != nil {
					t.Fatal(err)
				}
			}
			if err := syscall.Mkfifo(filepath.Join(folder, fillName(0)), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("/etc/passwd", filepath.Join(folder, fillName(1))); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(filepath.Join(folder, fillName(2)), 0o700); err != nil {
				t.Fatal(err)
			}
		}, 0},
		"more bytes than there were": {func(t *testing.T, folder string) {
			patch(t, folder, 2, 300*blockBytes, bytes.Repeat([]byte("x"), 3*blockBytes))
		}, testTotalBytes},
	}
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			folder, _ := filledFolder(t)
			damage.spoil(t, folder)
			done := resumed(t, folder, nil)
			if done["resumed_bytes"] != float64(damage.proven) || done["bytes"] != float64(testTotalBytes) {
				t.Errorf("%v resumed of %v, want %d", done["resumed_bytes"], done["bytes"], damage.proven)
			}
			wantProven(t, folder, done, testKeyHex)
		})
	}
}

func TestNothingOfAnotherKeyOrCipherProvesItself(t *testing.T) {
	const otherKey = "00000000000000000000000000000000"
	folder, _ := filledFolder(t)
	done := resumed(t, folder, map[string]any{"key": otherKey})
	if done["resumed_bytes"] != 0.0 {
		t.Errorf("done: %v", done)
	}
	wantProven(t, folder, done, otherKey)
	other := cipherChaCha
	if newStream(testKey, cipherAuto).cipher == cipherChaCha {
		other = cipherAES
	}
	done = resumed(t, folder, map[string]any{"key": otherKey, "cipher": other})
	if done["resumed_bytes"] != 0.0 {
		t.Errorf("with %s: %v", other, done)
	}
}

func TestWithoutResumeNothingIsKept(t *testing.T) {
	folder, _ := filledFolder(t)
	done := resumed(t, folder, map[string]any{"resume": false})
	if done["resumed_bytes"] != 0.0 || done["bytes"] != float64(testTotalBytes) {
		t.Errorf("done: %v", done)
	}
}

func TestALongerFillGoesOn(t *testing.T) {
	folder, _ := filledFolder(t)
	done := resumed(t, folder, map[string]any{"max_bytes": testTotalBytes + testFileBytes})
	if done["resumed_bytes"] != float64(testTotalBytes) || done["bytes"] != float64(testTotalBytes+testFileBytes) {
		t.Errorf("done: %v", done)
	}
	wantProven(t, folder, done, testKeyHex)
}

func TestAShorterFillDeletesTheRest(t *testing.T) {
	folder, _ := filledFolder(t)
	done := resumed(t, folder, map[string]any{"max_bytes": testFileBytes})
	if done["bytes"] != float64(testFileBytes) || len(done["files"].([]any)) != 1 {
		t.Errorf("done: %v", done)
	}
	if left := inodes(t, folder); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

func TestMemoryProvesNothingToAResume(t *testing.T) {
	base, err := os.MkdirTemp("/dev/shm", "benchd-fill-test-")
	if err != nil {
		t.Skipf("no folder in memory: %v", err)
	}
	defer os.RemoveAll(base)
	folder := filepath.Join(base, "work")
	for range 2 {
		if done := resumed(t, folder, nil); done["resumed_bytes"] != 0.0 {
			t.Errorf("done: %v", done)
		}
	}
}

func TestAHandsetThatWasAwayProvesItselfBeforeAnythingIsWritten(t *testing.T) {
	folder, _ := filledFolder(t)
	done := resumed(t, folder, map[string]any{"prior_bytes": testTotalBytes})
	if proven := done["prior_bytes_proven"].(float64); proven <= 0 || proven > priorEnoughBytes {
		t.Errorf("done: %v", done)
	}
	if done["resumed_bytes"] != float64(testTotalBytes) || done["bytes"] != float64(testTotalBytes) {
		t.Errorf("done: %v", done)
	}
	wantProven(t, folder, done, testKeyHex)
}

func TestWhatWasConfirmedLaterProvesNothing(t *testing.T) {
	folder, _ := filledFolder(t)
	for index := range 2 {
		if err := os.Remove(filepath.Join(folder, fillName(index))); err != nil {
			t.Fatal(err)
		}
	}
	request := fillMap(folder, testFileBytes, testTotalBytes)
	request["resume"], request["prior_bytes"] = true, 2*testFileBytes
	before := inodes(t, folder)
	status, events := command(t, "fill", request)
	if status != exitBad || last(events)["code"] != string(codeNotProven) {
		t.Fatalf("fill: %d, %v", status, last(events))
	}
	if after := inodes(t, folder); len(after) != len(before) {
		t.Errorf("files %v, before %v", after, before)
	}
}

func TestAnotherHandsetIsNotWrittenTo(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "work")
	request := fillMap(folder, testFileBytes, testTotalBytes)
	request["resume"], request["prior_bytes"] = true, testTotalBytes
	status, events := command(t, "fill", request)
	if status != exitBad || last(events)["code"] != string(codeNotProven) || len(events) != 1 {
		t.Fatalf("fill: %d, %v", status, events)
	}
	if left := inodes(t, folder); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
