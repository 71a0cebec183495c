package main

import (
	"fmt"
	"math"
	"os"
	"sync/atomic"
	"time"
)

const syncEveryBytes = 64 << 20

// fill writes the keystream until the medium is full or the limit is reached.
func fill(request fillRequest, events *eventWriter) error {
	start := time.Now()
	where, err := makeDirectory(request.directory)
	if err != nil {
		return err
	}
	defer where.close()
	if _, err := where.removeFillFiles(); err != nil {
		return err
	}
	direct, err := where.takesDirect()
	if err != nil {
		return err
	}
	before, err := where.space()
	if err != nil {
		return err
	}
	if err := enoughNames(request, before); err != nil {
		return err
	}
	ahead, err := newReadAhead(newKeystream(request.key))
	if err != nil {
		return err
	}
	defer ahead.stop()
	events.emit(startedEvent{"started", programVersion, cipherName, os.Getpid(),
		before.capacityBytes, before.freeBytes, modeName(direct)})

	var counted atomic.Int64
	beat := startHeartbeat(events, request.pace, start, &counted)
	work := newFiller(&disk{where, direct}, ahead, request, &counted)
	err = work.run()
	if err == nil {
		err = where.sync()
	}
	beat.stop()
	if err != nil {
		return err
	}
	after, err := where.space()
	if err != nil {
		return err
	}
	events.emit(fillDoneEvent{"done", counted.Load(), secondsSince(start), work.files,
		after.capacityBytes, before.freeBytes, after.freeBytes})
	return nil
}

func modeName(direct bool) string {
	if direct {
		return "o_direct"
	}
	return "buffered"
}

// enoughNames refuses files so small that their names would run out before the space does.
func enoughNames(request fillRequest, before space) error {
	wanted := before.capacityBytes
	if request.maxBytes > 0 {
		wanted = min(wanted, request.maxBytes)
	}
	if wanted/request.fileBytes >= maxFiles {
		return usage("file_bytes is too small: %d files would not hold %d bytes", maxFiles, wanted)
	}
	return nil
}

// filler is one fill in progress.
type filler struct {
	medium    medium
	ahead     *readAhead
	fileBytes int64
	room      int64 // bytes that may still be written
	pace      time.Duration
	files     []filledFile
	// counted is what the host is told: bytes that a sync has confirmed.
	counted    *atomic.Int64
	inFinished int64 // the bytes of all files before the current one
	syncedAt   time.Time
}

func newFiller(target medium, ahead *readAhead, request fillRequest, counted *atomic.Int64) *filler {
	room := request.maxBytes &^ (blockBytes - 1)
	if request.maxBytes == 0 {
		room = math.MaxInt64
	}
	return &filler{
		medium: target, ahead: ahead, fileBytes: request.fileBytes, room: room, pace: request.pace,
		files: []filledFile{}, counted: counted, syncedAt: time.Now(),
	}
}

// run makes file after file. It ends when, right after a commit of the file
// system, not even one block finds room in a new file.
func (f *filler) run() error {
	committed := false
	for f.room > 0 {
		index := len(f.files)
		if index == maxFiles {
			return &fault{codeIO, fmt.Sprintf("there is still room after %d files", maxFiles)}
		}
		written, err := f.fillFile(index)
		if err != nil {
			return err
		}
		if written > 0 {
			f.files = append(f.files, filledFile{fillName(index), int64(index) * f.fileBytes, written})
			f.room -= written
			committed = false
			continue
		}
		if committed {
			return nil
		}
		if err := f.medium.commit(); err != nil {
			return err
		}
		committed = true
	}
	return nil
}

// fillFile fills one new file and returns its size; without room for one block there is no file.
func (f *filler) fillFile(index int) (int64, error) {
	name := fillName(index)
	file, err := f.medium.create(name)
	if isFull(err) {
		return 0, nil
	}
	if err != nil {
		return 0, storageFault("create "+name, err)
	}
	written, err := f.write(file, int64(index)*f.fileBytes)
	if err != nil {
		return 0, storageFault("write "+name, err)
	}
	if err := file.finish(written); err != nil {
		return 0, err
	}
	f.inFinished += written
	if written == 0 {
		if err := f.medium.remove(name); err != nil {
			return 0, storageFault("delete "+name, err)
		}
	}
	return written, nil
}

// write goes on until the file has its size or not one more block fits, and
// makes all of it durable. A piece that doesn't fit is halved, so that small
// gaps are reached too.
func (f *filler) write(file mediumFile, streamOffset int64) (int64, error) {
	var written, confirmed int64
	budget := min(f.fileBytes, f.room)
	pieceBytes := int64(chunkBytes)
	for written < budget {
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
			if err := f.confirm(file, written); err != nil {
				return written, err
			}
			confirmed = written
		}
	}
	if written > confirmed {
		return written, f.confirm(file, written)
	}
	return written, nil
}

// confirm makes the current file's bytes durable, and only then counts them.
func (f *filler) confirm(file mediumFile, written int64) error {
	if err := file.sync(); err != nil {
		return err
	}
	f.syncedAt = time.Now()
	f.counted.Store(f.inFinished + written)
	return nil
}
