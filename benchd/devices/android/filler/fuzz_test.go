package main

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzRequests: whatever the line is, nothing panics, and what is accepted keeps its bounds.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{goodFill, goodCheck, goodDrop, `{"files":[{}]}`, `{"key":{"key":1}}`, "\x00", ``, `{}`, `[]`, `null`, `{"directory":"/d"`,
		`{"directory":"/d/b","names":["fill-000000.dat"]}`,
		`{"directory":"/d/b","key":"00112233445566778899AABBCCDDEEFF","file_bytes":8192,` +
			`"files":[{"name":"tail-000001.db","stream_offset":8192,"bytes":8192}],"ranges":[[0,4096,4096]]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if request, err := parseFillRequest(line); err == nil {
			wantDirectory(t, request.directory)
			if request.fileBytes < blockBytes || request.fileBytes%blockBytes != 0 || request.maxBytes < 0 ||
				request.pace <= 0 || request.headroomBytes < 0 || request.guardKeep < request.guardTail {
				t.Errorf("%+v", request)
			}
		} else if asFault(err).code != codeUsage {
			t.Errorf("refused with %v", err)
		}
		if request, err := parseCheckRequest(line); err == nil {
			wantDirectory(t, request.directory)
			if ordered := request.orderedBytes(); ordered < 1 {
				t.Errorf("%d bytes ordered: %+v", ordered, request)
			}
			seen := map[int64]bool{}
			for index, file := range request.files {
				number, isFillName := fillIndex(file.Name)
				if !isFillName || int64(number)*request.fileBytes != file.StreamOffset || seen[file.StreamOffset] ||
					file.Bytes <= 0 || file.Bytes > request.fileBytes {
					t.Errorf("accepted %+v", request)
				}
				seen[file.StreamOffset] = true
				end := int64(0)
				for _, part := range request.stretches(index) {
					if part.offset < end || part.bytes < 1 || part.offset+part.bytes > file.Bytes {
						t.Errorf("%+v of %+v", part, file)
					}
					end = part.offset + part.bytes
				}
			}
		}
		if request, err := parseDropRequest(line); err == nil {
			wantDirectory(t, request.directory)
		}
	})
}

func wantDirectory(t *testing.T, directory string) {
	t.Helper()
	if !path.IsAbs(directory) || path.Clean(directory) != directory || directory == "/" ||
		strings.ContainsRune(directory, 0) {
		t.Errorf("directory %q", directory)
	}
}

// FuzzNames: a name is taken for this program's own only in the one spelling that it uses.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"fill-000000.dat", "tail-999999.jpg", "small-000001.dat", "dir-000001", "lock", "probe",
		"fill-000000.dat/..", "fill-00000０.dat", "fill--00001.dat"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if parsed, isFillName := parseName(name); isFillName && (parsed.String() != name || parsed.index >= maxFiles) {
			t.Errorf("%q is %+v", name, parsed)
		}
		if isOwnName(name) && filepath.Base(name) != name {
			t.Errorf("%q is no plain name", name)
		}
	})
}

// FuzzState: whatever an earlier fill has left, and whatever became of it, a fill that resumes
// ends with every byte proven, and never counts for proven what it would have to write.
func FuzzState(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{1, 3, 200, 2, 0, 9, 77, 3, 255, 255})
	f.Add([]byte{2, 1, 1, 0, 5, 5, 4, 1, 0, 3, 2, 2})
	f.Fuzz(func(t *testing.T, actions []byte) {
		folder := diskFolder(t)
		const files, fileBlocks = 3, 8
		request := fillMap(folder, fileBlocks*blockBytes, files*fileBlocks*blockBytes)
		if status, events := command(t, "fill", request); status != exitDone {
			t.Fatalf("fill: %d, %v", status, last(events))
		}
		for ; len(actions) >= 3; actions = actions[3:] {
			spoil(t, filepath.Join(folder, fillName(int(actions[1])%(files+1))), actions[0], int64(actions[2]))
		}
		proven := 0.0
		for index := range files {
			proven += float64(provenPrefix(folder, index, fileBlocks))
		}
		request["resume"] = true
		status, events := command(t, "fill", request)
		done := last(events)
		if status != exitDone || done["resumed_bytes"] != proven {
			t.Fatalf("fill: %d, %v, want %v bytes resumed", status, done, proven)
		}
		status, events = command(t, "check", map[string]any{"directory": folder, "key": testKeyHex,
			"file_bytes": fileBlocks * blockBytes, "progress_s": 60.0, "files": done["files"]})
		if status != exitDone || last(events)["bytes_proven"] != float64(files*fileBlocks*blockBytes) {
			t.Errorf("check: %d, %v", status, last(events))
		}
	})
}

// spoil does one thing to a file: damages a byte, cuts it off, lengthens, deletes or empties it.
func spoil(t *testing.T, name string, what byte, where int64) {
	t.Helper()
	offset := where * 131
	switch what % 5 {
	case 0:
		if file, err := os.OpenFile(name, os.O_RDWR, 0); err == nil {
			old := []byte{0}
			if _, err := file.ReadAt(old, offset); err == nil {
				_, _ = file.WriteAt([]byte{old[0] ^ byte(1+where%255)}, offset)
			}
			_ = file.Close()
		}
	case 1:
		_ = os.Truncate(name, offset)
	case 2:
		if file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600); err == nil {
			_, _ = file.Write(make([]byte, offset))
			_ = file.Close()
		}
	case 3:
		_ = os.Remove(name)
	case 4:
		_ = os.Truncate(name, 0)
	}
}

// provenPrefix is what a file proves, found out in the simplest way.
func provenPrefix(folder string, index, fileBlocks int) int {
	data, _ := os.ReadFile(filepath.Join(folder, fillName(index)))
	want := make([]byte, fileBlocks*blockBytes)
	newStream(testKey, cipherAuto).fillAt(want, int64(index*fileBlocks*blockBytes))
	proven := 0
	for proven+blockBytes <= min(len(data), len(want)) &&
		bytes.Equal(data[proven:proven+blockBytes], want[proven:proven+blockBytes]) {
		proven += blockBytes
	}
	return proven
}
