package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnlyTheRangesAreRead(t *testing.T) {
	folder, request := filledFolder(t)
	request["ranges"] = [][]int64{{0, 0, blockBytes}, {0, 8 * blockBytes, 2 * blockBytes}, {2, 299 * blockBytes, blockBytes}}
	status, events := command(t, "check", request)
	done := last(events)
	if status != exitDone || done["bytes_ordered"] != float64(4*blockBytes) || done["bytes_proven"] != float64(4*blockBytes) {
		t.Fatalf("check: %d, %v", status, done)
	}
	patch(t, folder, 0, 7*blockBytes, []byte("beside them"))
	if status, events = command(t, "check", request); status != exitDone {
		t.Errorf("damage beside the ranges: %d, %v", status, last(events))
	}
	patch(t, folder, 0, 9*blockBytes+5, []byte("in them"))
	wantBad(t, request, blockBytes, badRun{fillName(0), 9 * blockBytes, blockBytes})
}

func TestAFileTooShortIsBadThoughNoRangeIsThere(t *testing.T) {
	folder, request := filledFolder(t)
	request["ranges"] = [][]int64{{0, 0, blockBytes}}
	if err := os.Truncate(filepath.Join(folder, fillName(1)), testFileBytes-blockBytes); err != nil {
		t.Fatal(err)
	}
	wantBad(t, request, blockBytes, badRun{fillName(1), testFileBytes - blockBytes, blockBytes})
}

func TestRefusedRanges(t *testing.T) {
	const asked = `{"directory":"/d/b","key":"00112233445566778899AABBCCDDEEFF","file_bytes":16384,"files":[` +
		`{"name":"fill-000000.dat","stream_offset":0,"bytes":16384},` +
		`{"name":"tail-000007.jpg","stream_offset":114688,"bytes":5000}],"ranges":RANGES}`
	good := []string{`[[0,0,16384],[1,0,5000]]`, `[[1,4096,904]]`, `[[0,4096,4096],[0,8192,4096]]`, `[[1,0,4096]]`}
	for _, ranges := range good {
		if _, err := parseCheckRequest([]byte(strings.Replace(asked, "RANGES", ranges, 1))); err != nil {
			t.Errorf("%s: %v", ranges, err)
		}
	}
	bad := []string{`[]`, `null`, `{}`, `[[]]`, `[[0,0]]`, `[[0,0,4096,1]]`, `[[2,0,4096]]`, `[[-1,0,4096]]`,
		`[[0,1,4096]]`, `[[0,-4096,4096]]`, `[[0,0,0]]`, `[[0,0,-1]]`, `[[0,0,100]]`, `[[0,0,20480]]`,
		`[[0,4096,9223372036854775807]]`, `[[0,9223372036854771712,4096]]`, `[[1,0,4096],[0,0,4096]]`,
		`[[0,4096,4096],[0,0,4096]]`, `[[0,0,8192],[0,4096,4096]]`, `[[0,0,4096],[0,0,4096]]`, `[[1,4096,905]]`,
		`[["0",0,4096]]`, `[[0.5,0,4096]]`}
	for _, ranges := range bad {
		if _, err := parseCheckRequest([]byte(strings.Replace(asked, "RANGES", ranges, 1))); err == nil {
			t.Errorf("%s is accepted", ranges)
		} else {
			wantCode(t, err, codeUsage)
		}
	}
}

func TestRefusedExtras(t *testing.T) {
	for _, extra := range []string{`"cipher":"rot13"`, `"cipher":null`, `"resume":1`, `"headroom_bytes":-1`, `"layout":"zfs"`,
		`"host_silence_s":-1`, `"host_silence_s":0.001`, `"host_silence_s":1e9`, `"guard_keep_s":5`,
		`"guard_tail_s":5`, `"guard_tail_s":9,"guard_keep_s":5`} {
		if _, err := parseFillRequest([]byte(strings.Replace(goodFill, `{`, `{`+extra+`,`, 1))); err == nil {
			t.Errorf("%s is accepted", extra)
		}
	}
	for _, extra := range []string{`"small_files":-1`, `"small_files":1000001`, `"resume":true`} {
		if _, err := parseCheckRequest([]byte(strings.Replace(goodCheck, `{`, `{`+extra+`,`, 1))); err == nil {
			t.Errorf("%s is accepted", extra)
		}
	}
	if _, err := parseDropRequest([]byte(`{"directory":"/d/b","only_tail":0}`)); err == nil {
		t.Error("only_tail 0 is accepted")
	}
}
