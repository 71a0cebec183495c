package main

import "sync"

// The bytes by which the host's beats say whether to work; every other byte is only a beat.
const (
	beatRest = '-'
	beatGo   = '+'
)

// restGate holds the work back while the host lets the handset rest: one that is too hot or
// nearly empty. Storage isn't full meanwhile: the tail, which takes the last room, doesn't rest.
type restGate struct {
	lock sync.Mutex
	// open is closed while work may go on.
	open    chan struct{}
	resting bool
}

// hostRest is what the host has said last.
var hostRest = newRestGate()

func newRestGate() *restGate {
	gate := &restGate{open: make(chan struct{})}
	close(gate.open)
	return gate
}

// hear takes in what came from the host.
func (gate *restGate) hear(beats []byte) {
	gate.lock.Lock()
	defer gate.lock.Unlock()
	for _, beat := range beats {
		switch {
		case beat == beatRest && !gate.resting:
			gate.resting, gate.open = true, make(chan struct{})
		case beat == beatGo && gate.resting:
			gate.resting = false
			close(gate.open)
		}
	}
}

// wait returns once work may go on.
func (gate *restGate) wait() {
	gate.lock.Lock()
	open := gate.open
	gate.lock.Unlock()
	<-open
}
