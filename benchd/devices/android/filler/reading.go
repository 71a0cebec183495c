package main

import "bytes"

const (
	piecesAhead   = 4
	readersAtOnce = 2
	sectorBytes   = 512
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
	ready  chan struct{}
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
	inOrder := make(chan *piece, len(c.pieces))
	stop := make(chan struct{})
	go guarded(func() {
		defer close(inOrder)
		orderPieces(reader, stretches, free, inOrder, stop)
	})
	for next := range inOrder {
		<-next.ready
		expected := c.ahead.chunk(streamOffset+next.offset, next.length)
		got := next.buffer[:next.count]
		if next.err != nil {
			got = nil
		}
		if !judge(next.offset, got, expected) {
			break
		}
		free <- next
	}
	close(stop)
	for left := range inOrder { // until the other side has let go of buffers and file
		<-left.ready
	}
}

// orderPieces has the chunks read, a few at once, and hands them out in their order.
func orderPieces(reader blockReader, stretches []stretch, free, inOrder chan *piece, stop chan struct{}) {
	asked := make(chan *piece, cap(inOrder))
	defer close(asked)
	for range readersAtOnce {
		go guarded(func() {
			for wanted := range asked {
				wanted.count, wanted.err = reader.readAt(wanted.buffer, wanted.offset, wanted.length)
				wanted.ready <- struct{}{}
			}
		})
	}
	for _, part := range stretches {
		end := part.offset + part.bytes
		for offset := part.offset; offset < end; offset += chunkBytes {
			select {
			case <-stop:
				return
			case next := <-free:
				hostRest.wait()
				next.offset, next.length = offset, int(min(chunkBytes, end-offset))
				next.spoil()
				inOrder <- next
				asked <- next
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
