package main

import "bytes"

const (
	piecesAhead = 3
	sectorBytes = 512
)

// stretch is a part of a file; it begins on a block boundary.
type stretch struct{ offset, bytes int64 }

// piece is one buffer and what was read into it.
type piece struct {
	buffer []byte
	offset int64
	length int
	count  int
	err    error
}

// spoil makes sure that what the buffer held before can't pass for what the medium gave.
func (p *piece) spoil() {
	for sector := 0; sector < p.length; sector += sectorBytes {
		clear(p.buffer[sector : sector+8])
	}
}

// read reads the stretches of a file in order and hands each chunk to judge, with what must
// be there; got is nil where the chunk can't be read as a whole. The next chunks are read
// meanwhile. It ends early when judge says false.
func (c *checker) read(
	reader blockReader, streamOffset int64, stretches []stretch,
	judge func(offset int64, got, expected []byte) bool,
) {
	free := make(chan *piece, len(c.pieces))
	for _, empty := range c.pieces {
		free <- empty
	}
	full := make(chan *piece, len(c.pieces))
	stop := make(chan struct{})
	go guarded(func() {
		defer close(full)
		readPieces(reader, stretches, free, full, stop)
	})
	for ready := range full {
		expected := c.ahead.chunk(streamOffset+ready.offset, ready.length)
		got := ready.buffer[:ready.count]
		if ready.err != nil {
			got = nil
		}
		if !judge(ready.offset, got, expected) {
			break
		}
		free <- ready
	}
	close(stop)
	for range full { // until the other side has let go of buffers and file
	}
}

func readPieces(reader blockReader, stretches []stretch, free, full chan *piece, stop chan struct{}) {
	for _, part := range stretches {
		end := part.offset + part.bytes
		for offset := part.offset; offset < end; offset += chunkBytes {
			select {
			case <-stop:
				return
			case next := <-free:
				next.offset, next.length = offset, int(min(chunkBytes, end-offset))
				next.spoil()
				next.count, next.err = reader.readAt(next.buffer, offset, next.length)
				full <- next
			}
		}
	}
}

// compareBlocks finds the blocks that differ, a missing rest included, and counts their bytes.
func compareBlocks(got, expected []byte, bad func(start, end int)) int64 {
	if bytes.Equal(got, expected) {
		return 0
	}
	var badBytes int64
	for start := 0; start < len(expected); start += blockBytes {
		end := min(start+blockBytes, len(expected))
		if end > len(got) || !bytes.Equal(got[start:end], expected[start:end]) {
			bad(start, end)
			badBytes += int64(end - start)
		}
	}
	return badBytes
}
