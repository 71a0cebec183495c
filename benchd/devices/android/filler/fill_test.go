package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// smallMedium is a file system in memory with few blocks, and faults on demand.
type smallMedium struct {
	freeBlocks int
	inodeCost  int // blocks that a new file takes for itself
	heldBack   int // blocks that only a commit makes free
	wholeOnly  bool
	shortBy    int // bytes by which the next write falls short
	fullError  error
	syncError  error
	writeError error
	onSync     func()
	freedLate  []int // blocks that become free each time somebody asks once it was full
	unusable   int64 // bytes said to be free that nobody can write to
	commits    int
	syncs      int

	madeDirectories int
	files           map[string]*smallFile
}

type smallFile struct {
	on     *smallMedium
	data   []byte
	closed bool
	direct bool
}

func newSmallMedium(blocks int) *smallMedium {
	return &smallMedium{freeBlocks: blocks, fullError: syscall.ENOSPC, files: map[string]*smallFile{}}
}

func (m *smallMedium) create(name string) (mediumFile, error) {
	if m.freeBlocks < m.inodeCost {
		return nil, m.fullError
	}
	if m.files[name] != nil {
		return nil, syscall.EEXIST
	}
	m.freeBlocks -= m.inodeCost
	m.files[name] = &smallFile{on: m, direct: goesDirect(name)}
	return m.files[name], nil
}

func (m *smallMedium) remove(name string) error {
	if file := m.files[name]; file != nil {
		m.freeBlocks += m.inodeCost + (len(file.data)+blockBytes-1)/blockBytes
	}
	delete(m.files, name)
	return nil
}

func (m *smallMedium) reopen(string, int64, int64) (mediumFile, int64, error) { return nil, 0, nil }

func (m *smallMedium) removeAllBut(map[string]bool) error { return nil }

func (m *smallMedium) makeDirectory(string) error {
	if m.freeBlocks == 0 {
		return m.fullError
	}
	m.freeBlocks--
	m.madeDirectories++
	return nil
}

func (m *smallMedium) freeBytes() (int64, error) {
	if m.commits >= 1 && len(m.freedLate) > 0 {
		m.freeBlocks, m.freedLate = m.freeBlocks+m.freedLate[0], m.freedLate[1:]
	}
	return int64(m.freeBlocks)*blockBytes + m.unusable, nil
}

func (m *smallMedium) commit() error {
	m.commits++
	m.freeBlocks, m.heldBack = m.freeBlocks+m.heldBack, 0
	return nil
}

func (f *smallFile) writeAt(data []byte, offset int64) (int, error) {
	if f.on.writeError != nil {
		return 0, f.on.writeError
	}
	if f.direct && (len(data)%blockBytes != 0 || offset%blockBytes != 0) {
		return 0, syscall.EINVAL // a part of a block
	}
	length := len(data) - f.on.shortBy
	f.on.shortBy = 0
	blocksNow := (len(f.data) + blockBytes - 1) / blockBytes
	room := int64(blocksNow+f.on.freeBlocks)*blockBytes - offset
	if int64(length) > room {
		if f.on.wholeOnly || room == 0 {
			return 0, f.on.fullError
		}
		length = int(room)
	}
	if grown := int(offset) + length - len(f.data); grown > 0 {
		f.data = append(f.data, make([]byte, grown)...)
	}
	copy(f.data[offset:], data[:length])
	f.on.freeBlocks -= (len(f.data)+blockBytes-1)/blockBytes - blocksNow
	return length, nil
}

func (f *smallFile) sync() error {
	f.on.syncs++
	if f.on.onSync != nil {
		f.on.onSync()
	}
	return f.on.syncError
}

func (f *smallFile) finish(size int64) error {
	if int64(len(f.data)) < size {
		return errors.New("shorter than said")
	}
	f.data, f.closed = f.data[:size], true
	return nil
}

func runFill(t *testing.T, target *smallMedium, fileBytes, maxBytes int64) (*filler, error) {
	t.Helper()
	request := fillRequest{streamRequest: streamRequest{key: testKey, fileBytes: fileBytes, pace: time.Hour}, maxBytes: maxBytes}
	work := newFiller(target, newTestAhead(t), request, layoutFor(layoutPlain, space{}, abilities{}), new(atomic.Int64))
	return work, work.run()
}

// wantStream compares every file with the keystream and the list with the files.
func wantStream(t *testing.T, work *filler, target *smallMedium, totalBytes int64) {
	t.Helper()
	var sum int64
	lastIndex := -1
	for _, listed := range work.files {
		file := target.files[listed.Name]
		if file == nil || !file.closed || int64(len(file.data)) != listed.Bytes {
			t.Fatalf("%+v is not what is on the medium", listed)
		}
		index, isFillName := fillIndex(listed.Name)
		if !isFillName || index <= lastIndex || listed.StreamOffset != int64(index)*work.fileBytes {
			t.Errorf("%+v after number %d", listed, lastIndex)
		}
		lastIndex = index
		want := make([]byte, listed.Bytes)
		newKeystream(testKey).fillAt(want, listed.StreamOffset)
		if !bytes.Equal(file.data, want) {
			t.Errorf("%s does not hold its keystream", listed.Name)
		}
		sum += listed.Bytes
	}
	if len(target.files) != len(work.files) {
		t.Errorf("%d files on the medium, %d listed", len(target.files), len(work.files))
	}
	if sum != totalBytes || work.counted.Load() != totalBytes {
		t.Errorf("files hold %d, counted %d, want %d", sum, work.counted.Load(), totalBytes)
	}
}

func TestTailReachesEveryBlock(t *testing.T) {
	for _, blocks := range []int{1, 2, 3, 255, 256, 257, 1023, 1500} {
		for _, wholeOnly := range []bool{false, true} {
			for _, fileBlocks := range []int{1, 7, 256, 600, 5000} {
				name := fmt.Sprintf("%d blocks, files of %d, whole only %v", blocks, fileBlocks, wholeOnly)
				t.Run(name, func(t *testing.T) {
					target := newSmallMedium(blocks)
					target.wholeOnly = wholeOnly
					work, err := runFill(t, target, int64(fileBlocks)*blockBytes, 0)
					if err != nil {
						t.Fatal(err)
					}
					wantStream(t, work, target, int64(blocks)*blockBytes)
					if target.freeBlocks != 0 {
						t.Errorf("%d blocks were left", target.freeBlocks)
					}
				})
			}
		}
	}
}

func TestTailWithCostlyFiles(t *testing.T) {
	target := newSmallMedium(100)
	target.inodeCost, target.wholeOnly = 2, true
	work, err := runFill(t, target, 30*blockBytes, 0)
	if err != nil {
		t.Fatal(err)
	}
	// Four files pay two blocks each; the last one ends where space does.
	wantStream(t, work, target, 92*blockBytes)
}

func TestCommitGivesBackSpace(t *testing.T) {
	target := newSmallMedium(10)
	target.heldBack = 5
	work, err := runFill(t, target, 1<<20, 0)
	if err != nil {
		t.Fatal(err)
	}
	wantStream(t, work, target, 15*blockBytes)
	if target.commits != 2 {
		t.Errorf("%d commits: the end must be seen right after one", target.commits)
	}
}

// A quota that is taken for the end of the medium leaves all behind it as it was.
func TestRow4AQuotaIsNoFullMedium(t *testing.T) {
	for name, prepare := range map[string]func(*smallMedium){
		"at a write":             func(*smallMedium) {},
		"at a write of the tail": func(m *smallMedium) { m.freeBlocks = 3 },
		"at a new file":          func(m *smallMedium) { m.freeBlocks, m.inodeCost = 0, 1 },
		"at a sync": func(m *smallMedium) {
			m.fullError, m.syncError = syscall.ENOSPC, storageFault("fdatasync", syscall.EDQUOT)
		},
	} {
		t.Run(name, func(t *testing.T) {
			target := newSmallMedium(700)
			target.fullError = syscall.EDQUOT
			prepare(target)
			_, err := runFill(t, target, 1<<20, 0)
			wantCode(t, err, codeQuota)
			if status := asFault(err).code.exitStatus(); status != exitIO {
				t.Errorf("exit status %d", status)
			}
		})
	}
}

func TestWhatASystemFreesMeanwhileIsWrittenToo(t *testing.T) {
	const freed = (gapBytes + 4<<20) / blockBytes
	target := newSmallMedium(700)
	target.freedLate = []int{freed, freed}
	work, err := runFill(t, target, 64<<20, 0)
	if err != nil {
		t.Fatal(err)
	}
	wantStream(t, work, target, (700+2*freed)*blockBytes)
}

func TestRoomThatNeverEndsEndsTheFill(t *testing.T) {
	target := newSmallMedium(0)
	target.inodeCost = 1
	target.unusable = 2 * gapBytes
	if _, err := runFill(t, target, 1<<20, 0); err != nil {
		t.Fatal(err)
	}
}

func TestNoRoomAtAll(t *testing.T) {
	target := newSmallMedium(0)
	work, err := runFill(t, target, 1<<20, 0)
	if err != nil {
		t.Fatal(err)
	}
	wantStream(t, work, target, 0)
}

func TestLimit(t *testing.T) {
	for _, maxBytes := range []int64{4096, 8191, 3 << 20, 3<<20 + 4096} {
		target := newSmallMedium(2000)
		work, err := runFill(t, target, 1<<20, maxBytes)
		if err != nil {
			t.Fatal(err)
		}
		wantStream(t, work, target, maxBytes&^(blockBytes-1))
	}
}

func TestShortWrites(t *testing.T) {
	for _, shortBy := range []int{1, 511, 512, 4095, 4096, 5000, chunkBytes - 100, chunkBytes} {
		target := newSmallMedium(2500)
		target.shortBy = shortBy
		work, err := runFill(t, target, 2*chunkBytes, 0)
		if err != nil {
			t.Fatal(err)
		}
		wantStream(t, work, target, 2500*blockBytes)
	}
}

func TestFaultsEndTheFill(t *testing.T) {
	t.Run("sync is not tried again", func(t *testing.T) {
		target := newSmallMedium(700)
		target.syncError = storageFault("fdatasync", syscall.EIO)
		work, err := runFill(t, target, 1<<20, 0)
		wantCode(t, err, codeIO)
		if target.syncs != 1 || work.counted.Load() != 0 {
			t.Errorf("%d syncs, %d bytes counted", target.syncs, work.counted.Load())
		}
	})
	t.Run("no room at sync is a fault too", func(t *testing.T) {
		target := newSmallMedium(700)
		target.syncError = storageFault("fdatasync", syscall.ENOSPC)
		_, err := runFill(t, target, 1<<20, 0)
		wantCode(t, err, codeIO)
	})
	t.Run("write", func(t *testing.T) {
		target := newSmallMedium(700)
		target.writeError = syscall.EIO
		_, err := runFill(t, target, 1<<20, 0)
		wantCode(t, err, codeIO)
	})
	t.Run("file in the way", func(t *testing.T) {
		target := newSmallMedium(700)
		target.files[fillName(0)] = &smallFile{on: target}
		_, err := runFill(t, target, 1<<20, 0)
		wantCode(t, err, codeIO)
	})
}

func TestOnlySyncedBytesAreCounted(t *testing.T) {
	target := newSmallMedium(3 * syncEveryBytes / blockBytes)
	var counted atomic.Int64
	request := fillRequest{streamRequest: streamRequest{key: testKey, fileBytes: 2 * syncEveryBytes, pace: time.Hour}}
	work := newFiller(target, newTestAhead(t), request, layoutFor(layoutPlain, space{}, abilities{}), &counted)
	var before []int64
	target.onSync = func() { before = append(before, counted.Load()) }
	if err := work.run(); err != nil {
		t.Fatal(err)
	}
	if want := []int64{0, syncEveryBytes, 2 * syncEveryBytes}; !slices.Equal(before, want) {
		t.Errorf("counted before each sync: %d, want %d", before, want)
	}
	if counted.Load() != 3*syncEveryBytes {
		t.Errorf("counted %d", counted.Load())
	}
}

func wantCode(t *testing.T, err error, code faultCode) {
	t.Helper()
	if err == nil || asFault(err).code != code {
		t.Errorf("got %v, want %s", err, code)
	}
}
