package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const statfsTmpfs = 0x01021994

// fileOnDisk gives a synced file of so many bytes on a real disk: what lives in memory stays there.
func fileOnDisk(t *testing.T, size int) string {
	t.Helper()
	base, err := os.MkdirTemp("/var/tmp", "benchd-cache-test-")
	if err != nil {
		t.Skipf("no folder on a disk: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	var on syscall.Statfs_t
	if err := syscall.Statfs(base, &on); err != nil || on.Type == statfsTmpfs {
		t.Skip("/var/tmp lives in memory")
	}
	path := filepath.Join(base, "file")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// said runs the program and gives its exit code and what it wrote.
func said(t *testing.T, arguments ...string) (int, string) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = writer
	status := run(arguments)
	os.Stdout = stdout
	_ = writer.Close()
	buffer := make([]byte, 4096)
	count, _ := reader.Read(buffer)
	_ = reader.Close()
	return status, string(buffer[:count])
}

func wantSaid(t *testing.T, wantedStatus int, wanted string, arguments ...string) {
	t.Helper()
	status, text := said(t, arguments...)
	if status != wantedStatus || !strings.HasPrefix(text, wanted) {
		t.Fatalf("%v: %d, %q; wanted %d, %q", arguments, status, text, wantedStatus, wanted)
	}
}

func TestEmptiesAndCounts(t *testing.T) {
	page := os.Getpagesize()
	if page != 4096 {
		t.Skip("the figures are those of small pages")
	}
	path := fileOnDisk(t, 10*page+1)
	wantSaid(t, exitDone, "cache count page_bytes=4096 pages=11 resident=11\n", "count", path, "0", "1048576")
	wantSaid(t, exitDone, "cache empty page_bytes=4096 pages=2 resident=0\n", "empty", path, "4096", "8192")
	// Let go of is the whole file, not only the window.
	wantSaid(t, exitDone, "cache count page_bytes=4096 pages=11 resident=0\n", "count", path, "0", "45056")
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := advise(int(file.Fd()), 1); err != nil { // POSIX_FADV_RANDOM: nothing is read ahead
		t.Fatal(err)
	}
	if _, err := file.ReadAt(make([]byte, 1), 4096+4000); err != nil {
		t.Fatal(err)
	}
	wantSaid(t, exitDone, "cache count page_bytes=4096 pages=1 resident=1\n", "count", path, "4096", "4096")
	wantSaid(t, exitDone, "cache count page_bytes=4096 pages=1 resident=0\n", "count", path, "8192", "1")
	wantSaid(t, exitDone, "cache count page_bytes=4096 pages=2 resident=1\n", "count", path, "8000", "2000")
}

func TestSaysWhatStays(t *testing.T) {
	path := fileOnDisk(t, 4*os.Getpagesize())
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	held, err := syscall.Mmap(int(file.Fd()), 0, os.Getpagesize(), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Munmap(held) }()
	held[0] = 1 // a page that is mapped somewhere isn't let go of
	status, text := said(t, "empty", path, "0", "1")
	if status != exitStays || !strings.HasSuffix(text, "pages=1 resident=1\n") {
		t.Fatalf("%d, %q", status, text)
	}
}

func TestRefuses(t *testing.T) {
	path := fileOnDisk(t, 100)
	link := path + ".link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, arguments := range [][]string{
		{}, {"empty"}, {"empty", path, "0"}, {"empty", path, "-1", "5"}, {"empty", path, "0", "0"},
		{"empty", path, "x", "5"}, {"count", path, "9223372036854775807", "5"}, {"drop", path, "0", "5"},
	} {
		wantSaid(t, exitUsage, "cache refused ", arguments...)
	}
	for _, other := range []string{link, filepath.Dir(path), path + ".none"} {
		wantSaid(t, exitStorage, "cache failed ", "empty", other, "0", "1")
	}
	wantSaid(t, exitStorage, "cache failed ", "count", path, "100", "1")
	wantSaid(t, exitDone, "cache version=1\n", "version")
}
