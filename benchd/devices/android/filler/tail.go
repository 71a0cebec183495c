package main

import (
	"cmp"
	"slices"
	"time"
)

// tailWriter grows the files of one log by turns with the others, so that each log gets its
// share of the last free blocks.
type tailWriter struct {
	end     string
	name    fileName
	file    mediumFile
	offset  int64
	written int64
	// unconfirmed are bytes that no sync has made durable yet.
	unconfirmed int64
	pieceBytes  int64
	dry         bool
}

// tail ends when, right after a commit of the file system, not even one block finds room in
// a new file of any log.
func (f *filler) tail() error {
	buffer, err := alignedBuffer(chunkBytes)
	if err != nil {
		return err
	}
	defer freeBuffer(buffer)
	free, err := f.medium.freeBytes()
	if err != nil {
		return err
	}
	pieceBytes := f.tailPiece(min(free, f.headroom))
	writers := make([]*tailWriter, len(f.layout.tail))
	for index, end := range f.layout.tail {
		writers[index] = &tailWriter{end: end, pieceBytes: pieceBytes}
	}
	for committed := false; f.room > 0; {
		progress := false
		for slices.ContainsFunc(writers, func(w *tailWriter) bool { return !w.dry }) && f.room > 0 {
			for _, writer := range writers {
				grown, err := f.grow(writer, buffer)
				if err != nil {
					return err
				}
				progress = progress || grown
			}
		}
		for _, writer := range writers {
			if err := f.end(writer); err != nil {
				return err
			}
			writer.dry, writer.pieceBytes = false, pieceBytes
		}
		if committed && !progress {
			break
		}
		if err := f.medium.commit(); err != nil {
			return err
		}
		committed = true
	}
	slices.SortFunc(f.files, func(a, b filledFile) int { return cmp.Compare(a.StreamOffset, b.StreamOffset) })
	return nil
}

// tailPiece is so small that one log doesn't take what is left for the others.
func (f *filler) tailPiece(room int64) int64 {
	const turns = 8
	share := room / int64(turns*len(f.layout.tail)) &^ (blockBytes - 1)
	if len(f.layout.tail) == 1 {
		return chunkBytes
	}
	return min(max(share, blockBytes), chunkBytes)
}

// grow writes one piece; true if it found room.
func (f *filler) grow(writer *tailWriter, buffer []byte) (bool, error) {
	if writer.dry || f.room == 0 {
		return false, nil
	}
	waitIfHostGone()
	if writer.file == nil {
		if err := f.begin(writer); err != nil || writer.dry {
			return false, err
		}
	}
	data := buffer[:min(writer.pieceBytes, f.fileBytes-writer.written, f.room)]
	f.ahead.stream.fillAt(data, writer.offset+writer.written)
	count, err := writer.file.writeAt(data, writer.written)
	if err != nil && !isFull(err) {
		return false, storageFault("write "+writer.name.String(), err)
	}
	whole := int64(count) &^ (blockBytes - 1)
	if whole == 0 {
		if writer.pieceBytes == blockBytes {
			writer.dry = true
		}
		writer.pieceBytes = max(writer.pieceBytes/2&^(blockBytes-1), blockBytes)
		return false, nil
	}
	writer.written += whole
	writer.unconfirmed += whole
	f.room -= whole
	if writer.unconfirmed >= syncEveryBytes || time.Since(f.syncedAt) >= f.pace {
		if err := f.confirmTail(writer); err != nil {
			return true, err
		}
	}
	if writer.written == f.fileBytes {
		return true, f.end(writer)
	}
	return true, nil
}

// begin gives the writer its next file, or finds it dry.
func (f *filler) begin(writer *tailWriter) error {
	index, err := f.takeIndex()
	if err != nil {
		return err
	}
	writer.name = fileName{index, true, writer.end}
	writer.offset, writer.written = int64(index)*f.fileBytes, 0
	writer.file, err = f.medium.create(writer.name.String())
	if isFull(err) {
		writer.file, writer.dry = nil, true
		f.nextIndex-- // no other file was begun since
		return nil
	}
	if err != nil {
		return storageFault("create "+writer.name.String(), err)
	}
	return nil
}

// end makes the writer's file durable and lists it.
func (f *filler) end(writer *tailWriter) error {
	if writer.file == nil {
		return nil
	}
	if err := f.confirmTail(writer); err != nil {
		return err
	}
	file := writer.file
	writer.file = nil
	f.room += writer.written // finish takes it off again
	return f.finish(file, writer.name, writer.offset, writer.written)
}

// confirmTail makes the writer's newest bytes durable and counts them.
func (f *filler) confirmTail(writer *tailWriter) error {
	if writer.unconfirmed == 0 {
		return nil
	}
	if err := f.confirm(writer.file, writer.unconfirmed); err != nil {
		return storageFault("write "+writer.name.String(), err)
	}
	writer.unconfirmed = 0
	return nil
}
