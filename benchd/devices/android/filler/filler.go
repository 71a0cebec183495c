package main

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

const syncEveryBytes = 128 << 20

// filler is one fill in progress: first the body, in large files, as long as more than the
// headroom is free; then, quickly, the tail, down to the last block.
type filler struct {
	medium    medium
	ahead     *readAhead
	layout    layout
	fileBytes int64
	headroom  int64
	room      int64 // bytes that may still be written
	pace      time.Duration
	resume    bool
	nextIndex int
	files     []filledFile
	// counted is what the host is told: bytes that a sync has confirmed, or a read has proven.
	counted      *atomic.Int64
	resumedBytes int64
	smallFiles   int
	directories  int
	ballast      ballast
	// owed are bytes that the host was told of and that aren't there any more.
	owed     int64
	syncedAt time.Time
	// fullSince is when the headroom began to be used up.
	fullSince time.Time
}

func newFiller(target medium, ahead *readAhead, request fillRequest, plan layout, counted *atomic.Int64) *filler {
	room := request.maxBytes &^ (blockBytes - 1)
	if request.maxBytes == 0 {
		room = math.MaxInt64
	}
	return &filler{
		medium: target, ahead: ahead, layout: plan, fileBytes: request.fileBytes, room: room,
		pace: request.pace, resume: request.resume, files: []filledFile{}, counted: counted, syncedAt: time.Now(),
	}
}

// run fills the medium. What it leaves free has room neither for a block nor for a small file.
func (f *filler) run() error {
	if err := f.makeDirectories(f.layout.directories); err != nil {
		return err
	}
	if err := f.makeSmallFiles(f.layout.smallFirst); err != nil {
		return err
	}
	if err := f.body(); err != nil {
		return err
	}
	if f.room == 0 {
		return nil
	}
	f.fullSince = time.Now()
	if err := f.writeBallast(); err != nil {
		return err
	}
	if err := f.tail(); err != nil {
		return err
	}
	if err := f.turnLogs(); err != nil {
		return err
	}
	return f.lastGaps()
}

// lastGaps gives small files what has no room for a block of data any more. A system whose
// storage is full frees some of its own: the tail goes on as long as that is more than gaps.
func (f *filler) lastGaps() error {
	for turns := 0; f.room > 0; turns++ {
		if err := f.makeSmallFiles(f.smallFiles + f.layout.smallRest); err != nil {
			return err
		}
		free, err := f.medium.freeBytes()
		if err != nil || free <= gapBytes || turns == mostTurns {
			return err
		}
		if err := f.tail(); err != nil {
			return err
		}
	}
	return nil
}

// fullSeconds is for how long the headroom has been used up by now.
func (f *filler) fullSeconds() float64 {
	if f.fullSince.IsZero() {
		return 0
	}
	return secondsSince(f.fullSince)
}

// body makes file after file as long as there is more room than the headroom.
func (f *filler) body() error {
	for f.room > 0 {
		written, err := f.bodyFile()
		if err != nil {
			return err
		}
		if written == 0 {
			break
		}
	}
	// Files that this fill has no place for are nobody's proof.
	kept := make(map[string]bool, len(f.files))
	for _, file := range f.files {
		kept[file.Name] = true
	}
	return f.medium.removeAllBut(kept)
}

// bodyFile goes on with one file, or makes it; no bytes mean that the body is at its end.
func (f *filler) bodyFile() (int64, error) {
	index, err := f.takeIndex()
	if err != nil {
		return 0, err
	}
	name, size := f.layout.bodyFile(index, f.fileBytes)
	streamOffset := int64(index) * f.fileBytes
	size = min(size, f.room)
	file, proven, err := f.found(name.String(), streamOffset, size)
	if err != nil {
		return 0, err
	}
	free, err := f.medium.freeBytes()
	if err != nil {
		return 0, err
	}
	budget := min(size, proven+max(free-f.headroom, 0)&^(blockBytes-1))
	if file == nil {
		if budget < min(size, chunkBytes) {
			f.nextIndex--
			return 0, nil
		}
		if file, err = f.medium.create(name.String()); isFull(err) {
			f.nextIndex--
			return 0, nil
		} else if err != nil {
			return 0, storageFault("create "+name.String(), err)
		}
	}
	written, err := f.write(file, streamOffset, proven, budget)
	if err != nil {
		return 0, storageFault("write "+name.String(), err)
	}
	return written, f.finish(file, name, streamOffset, written)
}

// found is what is left of an earlier fill under this name, cut off after its last proven block.
func (f *filler) found(name string, streamOffset, size int64) (mediumFile, int64, error) {
	if !f.resume {
		return nil, 0, nil
	}
	file, proven, err := f.medium.reopen(name, streamOffset, size)
	if err != nil {
		return nil, 0, storageFault("go on with "+name, err)
	}
	f.resumedBytes += proven
	return file, proven, nil
}

// write goes on until the file has its size or not one more block fits, and
// makes all of it durable. A piece that doesn't fit is halved.
func (f *filler) write(file mediumFile, streamOffset, written, budget int64) (int64, error) {
	confirmed := written
	pieceBytes := int64(chunkBytes)
	for written < budget {
		hostRest.wait()
		length := min(pieceBytes, budget-written)
		data := f.ahead.chunk(streamOffset+written, int(length))
		count, err := file.writeAt(data, written)
		if err != nil && !isFull(err) {
			return written, err
		}
		// A block that was written in part is written again: O_DIRECT can't go on inside it.
		whole := int64(count) &^ (blockBytes - 1)
		written += whole
		if whole == 0 && pieceBytes == blockBytes {
			break
		}
		if whole == 0 {
			pieceBytes /= 2
			continue
		}
		if written-confirmed >= syncEveryBytes || time.Since(f.syncedAt) >= f.pace {
			if err := f.confirm(file, written-confirmed); err != nil {
				return written, err
			}
			confirmed = written
		}
	}
	if written > confirmed {
		return written, f.confirm(file, written-confirmed)
	}
	return written, nil
}

// confirm makes a file's newest bytes durable, and only then counts them.
func (f *filler) confirm(file mediumFile, newBytes int64) error {
	if err := file.sync(); err != nil {
		return err
	}
	f.syncedAt = time.Now()
	paid := min(newBytes, f.owed)
	f.owed -= paid
	f.counted.Add(newBytes - paid)
	return nil
}

// finish closes a file and lists it; without a byte it isn't kept.
func (f *filler) finish(file mediumFile, name fileName, streamOffset, written int64) error {
	if err := file.finish(written); err != nil {
		return err
	}
	if written == 0 {
		if err := f.medium.remove(name.String()); err != nil {
			return storageFault("delete "+name.String(), err)
		}
		return nil
	}
	f.room -= written
	f.files = append(f.files, filledFile{name.String(), streamOffset, written})
	return nil
}

func (f *filler) takeIndex() (int, error) {
	if f.nextIndex == maxFiles {
		return 0, &fault{codeIO, fmt.Sprintf("there is still room after %d files", maxFiles)}
	}
	f.nextIndex++
	return f.nextIndex - 1, nil
}
