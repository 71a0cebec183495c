package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var testKey = cipherKey{0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c}

const testKeyHex = "2b7e151628aed2a6abf7158809cf4f3c"

// diskFolder gives a folder on a real disk: /tmp is often nothing but memory.
func diskFolder(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp("/var/tmp", "benchd-fill-test-")
	if err != nil {
		t.Skipf("no folder on a disk: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	where, err := openDirectory(base)
	if err != nil {
		t.Fatal(err)
	}
	defer where.close()
	on, err := where.space()
	if err != nil {
		t.Fatal(err)
	}
	if on.inMemory {
		t.Skip("/var/tmp lives in memory")
	}
	return filepath.Join(base, "work")
}

func newTestAhead(t *testing.T) *readAhead {
	t.Helper()
	ahead, err := newReadAhead(newKeystream(testKey))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ahead.stop)
	return ahead
}

// command runs one command with one request and gives its exit code and events.
func command(t *testing.T, name string, request any) (int, []map[string]any) {
	t.Helper()
	line, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	events := &eventWriter{out: &out, hostGone: func() { t.Error("the host is said to be gone") }}
	status := run([]string{name}, bytes.NewReader(append(line, '\n')), events)
	var parsed []map[string]any
	for text := range strings.Lines(out.String()) {
		event := map[string]any{}
		if err := json.Unmarshal([]byte(text), &event); err != nil {
			t.Fatalf("not a JSON line: %q", text)
		}
		parsed = append(parsed, event)
	}
	if len(parsed) == 0 {
		t.Fatal("no event at all")
	}
	return status, parsed
}

func fillMap(folder string, fileBytes, maxBytes int64) map[string]any {
	return map[string]any{"directory": folder, "key": testKeyHex, "file_bytes": fileBytes,
		"progress_s": 60.0, "max_bytes": maxBytes}
}

func last(events []map[string]any) map[string]any { return events[len(events)-1] }
