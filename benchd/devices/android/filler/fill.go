package main

import (
	"os"
	"sync/atomic"
	"time"
)

// fill writes the keystream until the medium is full or the limit is reached.
func fill(request fillRequest, events *eventWriter) error {
	start := time.Now()
	where, err := makeDirectory(request.directory)
	if err != nil {
		return err
	}
	defer where.close()
	stream := newStream(request.key, request.cipher)
	priorProven, err := where.proveFirst(request, stream)
	if err != nil {
		return err
	}
	if err := startGuard(request); err != nil {
		return err
	}
	tidyWhenHostGone(func() { _ = where.removeOwn(isTailName) })
	before, err := where.makeReady(request.resume)
	if err != nil {
		return err
	}
	seen, err := where.probe()
	if err != nil {
		return err
	}
	if err := enoughNames(request, before); err != nil {
		return err
	}
	ahead, err := newReadAhead(stream)
	if err != nil {
		return err
	}
	defer ahead.stop()
	events.emit(startedEvent{
		Event:         "started",
		Version:       programVersion,
		Cipher:        stream.cipher,
		PID:           os.Getpid(),
		CapacityBytes: before.capacityBytes,
		FreeBytes:     before.freeBytes,
		Mode:          modeName(seen.direct),
	})

	var counted atomic.Int64
	beat := startHeartbeat(events, request.pace, start, &counted, where)
	target := &disk{where: where, direct: seen.direct, stream: stream, counted: &counted}
	defer target.stop()
	plan := layoutFor(request.layout, before, seen)
	work := newFiller(target, ahead, request, plan, &counted)
	work.headroom = plan.headroom(request.headroomBytes, before.freeBytes)
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
	events.emit(fillDoneEvent{
		Event:            "done",
		Bytes:            work.filledBytes(),
		ResumedBytes:     work.resumedBytes,
		PriorBytesProven: priorProven,
		ElapsedS:         secondsSince(start),
		Files:            work.files,
		SmallFiles:       work.smallFiles,
		SmallBytes:       int64(work.smallFiles) * smallBytes,
		Directories:      work.directories,
		Logs:             plan.logs,
		FullS:            work.fullSeconds(),
		CapacityBytes:    after.capacityBytes,
		FreeBytesBefore:  before.freeBytes,
		FreeBytesAfter:   after.freeBytes,
		UsedBytesBefore:  before.usedBytes,
		ReservedBytes:    before.reservedBytes,
	})
	return nil
}

// makeReady removes what an earlier fill has left, except for the files that may prove
// themselves, and says how much space there is without any of them.
func (d *directory) makeReady(resume bool) (space, error) {
	unwanted := isOwnName
	if resume {
		unwanted = func(name string) bool { return isOwnName(name) && !isBodyName(name) }
	}
	if err := d.removeOwn(unwanted); err != nil {
		return space{}, err
	}
	found, err := d.space()
	if err != nil || !resume {
		return found, err
	}
	if found.inMemory {
		// What can't be read past the cache can't prove itself.
		if err := d.removeOwn(isOwnName); err != nil {
			return space{}, err
		}
		return d.space()
	}
	held, err := d.bytesHeld()
	found.freeBytes = min(found.freeBytes+held, found.capacityBytes)
	found.usedBytes = max(found.usedBytes-held, 0)
	return found, err
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
