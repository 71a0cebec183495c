package main

// readAhead hands out stretches of the keystream and generates the following
// chunk meanwhile, so that generating costs no time beside storage.
type readAhead struct {
	current window
	next    window
	// asked carries the offset to generate for; ready says that next is filled.
	asked chan int64
	ready chan struct{}
	// pending is true while next is being generated.
	pending bool
	stream  *keystream
}

// window is one buffer and the stream offset it holds.
type window struct {
	buffer []byte
	offset int64
	filled bool
}

func (w *window) holds(offset int64, length int) bool {
	return w.filled && offset >= w.offset && offset-w.offset+int64(length) <= int64(len(w.buffer))
}

func newReadAhead(stream *keystream) (*readAhead, error) {
	first, err := alignedBuffer(chunkBytes)
	if err != nil {
		return nil, err
	}
	second, err := alignedBuffer(chunkBytes)
	if err != nil {
		return nil, err
	}
	r := &readAhead{
		current: window{buffer: first},
		next:    window{buffer: second},
		asked:   make(chan int64),
		ready:   make(chan struct{}),
		stream:  stream,
	}
	go guarded(r.generate)
	return r, nil
}

// generate is the second goroutine: it owns next's buffer between asked and ready.
func (r *readAhead) generate() {
	for offset := range r.asked {
		r.stream.fillAt(r.next.buffer, offset)
		r.ready <- struct{}{}
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

// advance makes current begin at this offset and has the chunk after it generated.
func (r *readAhead) advance(offset int64) {
	r.settle()
	if r.next.filled && r.next.offset == offset {
		r.current, r.next = r.next, r.current
	} else {
		r.stream.fillAt(r.current.buffer, offset)
		r.current.offset, r.current.filled = offset, true
	}
	r.next.offset, r.next.filled = offset+chunkBytes, false
	r.pending = true
	r.asked <- r.next.offset
}

// settle waits until next is nobody else's.
func (r *readAhead) settle() {
	if r.pending {
		<-r.ready
		r.pending, r.next.filled = false, true
	}
}

// stop ends the second goroutine.
func (r *readAhead) stop() {
	r.settle()
	close(r.asked)
}
