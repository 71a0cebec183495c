package main

import (
	"strings"
	"testing"
	"time"
)

const (
	goodFill = `{"directory":"/data/local/tmp/benchd","key":"00112233445566778899aabbccddeeff",` +
		`"file_bytes":1073741824,"progress_s":1.0,"max_bytes":0}`
	goodCheck = `{"directory":"/d/b","key":"00112233445566778899AABBCCDDEEFF","file_bytes":8192,"progress_s":2,` +
		`"files":[{"name":"fill-000000.dat","stream_offset":0,"bytes":8192},` +
		`{"name":"fill-000007.dat","stream_offset":57344,"bytes":1}]}`
	goodDrop = `{"directory":"/d/b"}`
)

func TestGoodRequests(t *testing.T) {
	fillAsked, err := readRequest(strings.NewReader(goodFill+"\nrubbish after it"), parseFillRequest)
	if err != nil || fillAsked.fileBytes != 1<<30 || fillAsked.pace != time.Second || fillAsked.key[15] != 0xff {
		t.Errorf("fill: %+v, %v", fillAsked, err)
	}
	checkAsked, err := readRequest(strings.NewReader(goodCheck), parseCheckRequest)
	if err != nil || len(checkAsked.files) != 2 || checkAsked.files[1].StreamOffset != 7*8192 {
		t.Errorf("check: %+v, %v", checkAsked, err)
	}
	dropAsked, err := readRequest(strings.NewReader(goodDrop+"\n"), parseDropRequest)
	if err != nil || dropAsked.directory != "/d/b" {
		t.Errorf("drop: %+v, %v", dropAsked, err)
	}
}

func TestRefusedRequests(t *testing.T) {
	swapped := func(good, old, replacement string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the request", old)
		}
		return strings.Replace(good, old, replacement, 1)
	}
	fills := map[string]string{
		"nothing":              "",
		"no object":            `[1]`,
		"cut short":            goodFill[:len(goodFill)-1],
		"two objects":          goodFill + goodFill,
		"not UTF-8":            swapped(goodFill, "benchd", "b\xffd"),
		"unknown key":          swapped(goodFill, `{`, `{"force":true,`),
		"key in another case":  swapped(goodFill, `"key"`, `"Key"`),
		"key twice":            swapped(goodFill, `{`, `{"max_bytes":4096,`),
		"no directory":         swapped(goodFill, `"directory":"/data/local/tmp/benchd",`, ``),
		"null":                 swapped(goodFill, `1073741824`, `null`),
		"relative directory":   swapped(goodFill, `"/data`, `"data`),
		"trailing slash":       swapped(goodFill, `benchd"`, `benchd/"`),
		"dots":                 swapped(goodFill, `/tmp/`, `/tmp/../`),
		"the root":             swapped(goodFill, `/data/local/tmp/benchd`, `/`),
		"NUL in the directory": swapped(goodFill, `benchd`, `b\u0000d`),
		"long directory":       swapped(goodFill, `benchd`, strings.Repeat("b", maxPathBytes)),
		"short key":            swapped(goodFill, `00112233`, `001122`),
		"long key":             swapped(goodFill, `00112233`, `0011223344`),
		"key with other signs": swapped(goodFill, `00112233`, `0011223g`),
		"file_bytes odd":       swapped(goodFill, `1073741824`, `1073741825`),
		"file_bytes zero":      swapped(goodFill, `1073741824`, `0`),
		"file_bytes negative":  swapped(goodFill, `1073741824`, `-4096`),
		"file_bytes huge":      swapped(goodFill, `1073741824`, `2199023255552`),
		"file_bytes fraction":  swapped(goodFill, `1073741824`, `4096.5`),
		"file_bytes text":      swapped(goodFill, `1073741824`, `"4096"`),
		"max_bytes negative":   swapped(goodFill, `"max_bytes":0`, `"max_bytes":-1`),
		"max_bytes tiny":       swapped(goodFill, `"max_bytes":0`, `"max_bytes":4095`),
		"no pause":             swapped(goodFill, `1.0`, `0`),
		"endless pause":        swapped(goodFill, `1.0`, `1e9`),
		"too long":             swapped(goodFill, `{`, `{`+strings.Repeat(" ", maxRequestBytes)),
	}
	for name, line := range fills {
		t.Run("fill/"+name, func(t *testing.T) { wantUsage(t, line, parseFillRequest) })
	}
	second := `{"name":"fill-000007.dat","stream_offset":57344,"bytes":1}`
	checks := map[string]string{
		"no files":         swapped(goodCheck, goodCheck[strings.Index(goodCheck, `,"files"`):], `}`),
		"empty files":      swapped(goodCheck, goodCheck[strings.Index(goodCheck, `[`):], `[]}`),
		"files null":       swapped(goodCheck, goodCheck[strings.Index(goodCheck, `[`):], `null}`),
		"file null":        swapped(goodCheck, second, `null`),
		"file twice":       swapped(goodCheck, second, `{"name":"fill-000000.dat","stream_offset":0,"bytes":8192}`),
		"foreign name":     swapped(goodCheck, `fill-000007.dat`, `lock`),
		"path for a name":  swapped(goodCheck, `fill-000007.dat`, `../fill-000007.dat`),
		"short name":       swapped(goodCheck, `fill-000007.dat`, `fill-07.dat`),
		"name with a sign": swapped(goodCheck, `fill-000007.dat`, `fill-+00007.dat`),
		"wide digits":      swapped(goodCheck, `fill-000007.dat`, `fill-00007.dat`),
		"wrong offset":     swapped(goodCheck, `57344`, `57345`),
		"no bytes":         swapped(goodCheck, `"bytes":1`, `"bytes":0`),
		"too many bytes":   swapped(goodCheck, `"bytes":1`, `"bytes":8193`),
		"unknown file key": swapped(goodCheck, `"bytes":1`, `"bytes":1,"skip":true`),
		"unknown key":      swapped(goodCheck, `{`, `{"max_bytes":0,`),
	}
	for name, line := range checks {
		t.Run("check/"+name, func(t *testing.T) { wantUsage(t, line, parseCheckRequest) })
	}
	t.Run("drop/unknown key", func(t *testing.T) {
		wantUsage(t, `{"directory":"/d","key":""}`, parseDropRequest)
	})
}

func wantUsage[T any](t *testing.T, line string, parse func([]byte) (T, error)) {
	t.Helper()
	_, err := readRequest(strings.NewReader(line+"\n"), parse)
	if err == nil || asFault(err).code != codeUsage {
		t.Errorf("not refused as usage: %v", err)
	}
}
