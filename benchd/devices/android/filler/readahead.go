package main

import "runtime"

const (
	// Few, so that what is written next is still in the processor's cache.
	windowsAhead = 2
	// AES is faster than any storage; the other cipher may need two processors.
	slowMakers = 2
)

// readAhead hands out stretches of the keystream and generates the following
// chunks meanwhile, so that generating costs no time beside storage.
type readAhead struct {
	stream generator
	// current is what chunk has handed out; ahead holds the chunks after it, in order.
	current *window
	ahead   []*window
	asked   chan *window
}

// window is one buffer and the stream offset it holds.
type window struct {
	buffer []byte
	offset int64
	filled bool
	// pending is true while a maker owns the buffer; ready ends that.
	pending bool
	ready   chan struct{}
}

func (w *window) holds(offset int64, length int) bool {
	return w.filled && offset >= w.offset && offset-w.offset+int64(length) <= int64(len(w.buffer))
}

// settle waits until the window is nobody else's.
func (w *window) settle() {
	if w.pending {
		<-w.ready
		w.pending, w.filled = false, true
	}
}

func newReadAhead(stream generator) (*readAhead, error) {
	r := &readAhead{stream: stream, asked: make(chan *window, windowsAhead)}
	for range windowsAhead + 1 {
		buffer, err := alignedBuffer(chunkBytes)
		if err != nil {
			return nil, err
		}
		r.ahead = append(r.ahead, &window{buffer: buffer, ready: make(chan struct{}, 1)})
	}
	r.current, r.ahead = r.ahead[0], r.ahead[1:]
	makers := 1
	if named, isNamed := stream.(namedStream); isNamed && named.cipher == cipherChaCha {
		makers = min(slowMakers, runtime.NumCPU())
	}
	for range makers {
		go guarded(r.generate)
	}
	return r, nil
}

// generate is a maker: it owns a window's buffer between asked and ready.
func (r *readAhead) generate() {
	for wanted := range r.asked {
		r.stream.fillAt(wanted.buffer, wanted.offset)
		wanted.ready <- struct{}{}
	}
}

// chunk gives length bytes (at most chunkBytes) from the offset on, valid until
// the next call. They lie on a block boundary in memory if the offset does in the stream.
func (r *readAhead) chunk(offset int64, length int) []byte {
	if !r.current.holds(offset, length) {
		r.advance(offset)
	}
	start := int(offset - r.current.offset)
	return r.current.buffer[start : start+length]
}

// advance makes current begin at this offset and has the chunks after it generated.
func (r *readAhead) advance(offset int64) {
	next := r.ahead[0]
	next.settle()
	if !next.filled || next.offset != offset {
		r.startOver(offset)
		return
	}
	copy(r.ahead, r.ahead[1:])
	r.ahead[len(r.ahead)-1] = r.current
	r.ask(r.current, r.ahead[len(r.ahead)-2].offset+chunkBytes)
	r.current = next
}

func (r *readAhead) startOver(offset int64) {
	r.settle()
	r.stream.fillAt(r.current.buffer, offset)
	r.current.offset, r.current.filled = offset, true
	for index, follower := range r.ahead {
		r.ask(follower, offset+int64(index+1)*chunkBytes)
	}
}

func (r *readAhead) ask(wanted *window, offset int64) {
	wanted.offset, wanted.filled, wanted.pending = offset, false, true
	r.asked <- wanted
}

func (r *readAhead) settle() {
	for _, follower := range r.ahead {
		follower.settle()
	}
}

// stop ends the makers; what chunk has given isn't valid any more.
func (r *readAhead) stop() {
	r.settle()
	close(r.asked)
	freeBuffer(r.current.buffer)
	for _, follower := range r.ahead {
		freeBuffer(follower.buffer)
	}
}
