package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestVersionAndUsage(t *testing.T) {
	tests := map[string]struct {
		arguments []string
		input     string
		status    int
		output    string
	}{
		"version":     {[]string{"version"}, "", exitDone, `{"event":"version","version":"3","cipher":"` + newStream(testKey, cipherAuto).cipher + `"}`},
		"no command":  {nil, "", exitUsage, `"code":"usage"`},
		"two":         {[]string{"fill", "now"}, goodFill, exitUsage, `"code":"usage"`},
		"unknown":     {[]string{"erase"}, goodFill, exitUsage, `"code":"usage"`},
		"bad request": {[]string{"drop"}, "{}\n", exitUsage, `"code":"usage"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			events := &eventWriter{out: &out, hostGone: func() { t.Error("the host is said to be gone") }}
			status := run(test.arguments, strings.NewReader(test.input), events)
			if status != test.status || !strings.Contains(out.String(), test.output) || strings.Count(out.String(), "\n") != 1 {
				t.Errorf("%d, %q", status, out.String())
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	want := map[faultCode]int{codeUsage: 2, codeBusy: 3, codeIO: 4, codeCacheNotEvicted: 4, codeHostGone: 5, "else": 4}
	for code, status := range want {
		if code.exitStatus() != status {
			t.Errorf("%s gives %d", code, code.exitStatus())
		}
	}
	if asFault(errors.New("unforeseen")).code != codeIO {
		t.Error("an unforeseen error must be a storage fault")
	}
}

func TestLockKeepsOthersOut(t *testing.T) {
	folder, request := filledFolder(t)
	where, err := openDirectory(folder)
	if err != nil {
		t.Fatal(err)
	}
	before := content(t, folder, 0)
	asked := map[string]any{"fill": fillMap(folder, testFileBytes, 0), "check": request,
		"drop": map[string]any{"directory": folder}}
	for name, body := range asked {
		status, events := command(t, name, body)
		if status != exitBusy || last(events)["code"] != string(codeBusy) || len(events) != 1 {
			t.Errorf("%s: %d, %v", name, status, events)
		}
	}
	if !bytes.Equal(before, content(t, folder, 0)) {
		t.Error("somebody touched the files")
	}
	where.close()
	if status, events := command(t, "check", request); status != exitDone {
		t.Errorf("after the lock was given back: %d, %v", status, events)
	}
}

func TestSymlinksAreRefused(t *testing.T) {
	folder, request := filledFolder(t)
	alias := folder + ".alias"
	if err := os.Symlink(folder, alias); err != nil {
		t.Fatal(err)
	}
	request["directory"] = alias
	asked := map[string]any{"fill": fillMap(alias, testFileBytes, 0), "check": request,
		"drop": map[string]any{"directory": alias}}
	for name, body := range asked {
		status, events := command(t, name, body)
		if status != exitUsage || last(events)["code"] != string(codeUsage) {
			t.Errorf("%s: %d, %v", name, status, events)
		}
	}
	if left, _ := os.ReadDir(folder); len(left) != 4 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFillDoesNotWriteThroughASymlink(t *testing.T) {
	folder := diskFolder(t)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	victim := folder + ".victim"
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(folder, fillName(0))); err != nil {
		t.Fatal(err)
	}
	status, events := command(t, "fill", fillMap(folder, testFileBytes, testFileBytes))
	if status != exitDone {
		t.Fatalf("fill: %d, %v", status, last(events))
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
		t.Errorf("the file behind the symlink now holds %q, %v", data, err)
	}
}

func TestLockFileMustNotBeASymlink(t *testing.T) {
	folder := diskFolder(t)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(folder+".elsewhere", filepath.Join(folder, lockName)); err != nil {
		t.Fatal(err)
	}
	if status, events := command(t, "fill", fillMap(folder, testFileBytes, testFileBytes)); status != exitUsage {
		t.Errorf("fill: %d, %v", status, events)
	}
	if _, err := os.Lstat(folder + ".elsewhere"); err == nil {
		t.Error("the symlink was followed")
	}
}

func TestFillStartsAfresh(t *testing.T) {
	folder, request := filledFolder(t)
	foreign := filepath.Join(folder, "fill-keep.dat")
	if err := os.WriteFile(foreign, []byte("not ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, events := command(t, "fill", fillMap(folder, testFileBytes, blockBytes)); status != exitDone {
		t.Fatalf("fill: %d, %v", status, events)
	}
	if names, _ := filepath.Glob(filepath.Join(folder, "fill-0*")); len(names) != 1 {
		t.Errorf("left of the earlier fill: %v", names)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Error("a file that isn't the program's own was deleted")
	}
	if status, _ := command(t, "check", request); status != exitBad {
		t.Errorf("the earlier list still passes: %d", status)
	}
}

func TestMissingDirectoryIsNoSuccess(t *testing.T) {
	folder := diskFolder(t)
	request := map[string]any{"directory": folder, "key": testKeyHex, "file_bytes": blockBytes, "progress_s": 1.0,
		"files": []filledFile{{fillName(0), 0, blockBytes}}}
	if status, _ := command(t, "check", request); status != exitIO {
		t.Errorf("check: %d", status)
	}
	if status, _ := command(t, "drop", map[string]any{"directory": folder}); status != exitIO {
		t.Errorf("drop: %d", status)
	}
}

func TestTooManyNamesAreRefused(t *testing.T) {
	request := fillRequest{streamRequest: streamRequest{fileBytes: blockBytes}}
	wantCode(t, enoughNames(request, space{capacityBytes: 1 << 40}), codeUsage)
	request.maxBytes = 1 << 20
	if err := enoughNames(request, space{capacityBytes: 1 << 40}); err != nil {
		t.Error(err)
	}
}

func TestHostGoneIsNoticed(t *testing.T) {
	reader, writer := io.Pipe()
	_ = reader.Close()
	gone := 0
	events := &eventWriter{out: writer, hostGone: func() { gone++ }}
	events.emit(progressEvent{"progress", 0, 0})
	if gone != 1 {
		t.Errorf("noticed %d times", gone)
	}
}

func TestHeartbeatGoesOnWhileNothingMoves(t *testing.T) {
	reader, writer := io.Pipe()
	events := &eventWriter{out: writer, hostGone: func() {}}
	var counted atomic.Int64
	counted.Store(42)
	beat := startHeartbeat(events, time.Millisecond, time.Now(), &counted, nil)
	line := make([]byte, 200)
	for range 3 {
		count, err := reader.Read(line)
		if err != nil || !strings.HasPrefix(string(line[:count]), `{"event":"progress","bytes":42,"elapsed_s":`) {
			t.Fatalf("%q, %v", line[:count], err)
		}
	}
	_ = reader.Close()
	beat.stop()
}
