package main

import (
	"sync/atomic"
	"time"
)

// heartbeat reports progress at a steady pace, also while storage hangs: a
// silent program and a stuck medium must look different to the host.
type heartbeat struct {
	stopping chan struct{}
	stopped  chan struct{}
}

func startHeartbeat(
	events *eventWriter, every time.Duration, start time.Time, counted *atomic.Int64, where *directory,
) *heartbeat {
	beat := &heartbeat{stopping: make(chan struct{}), stopped: make(chan struct{})}
	touches := make(chan struct{}, 1)
	go guarded(func() {
		for range touches {
			where.touch() // waits when the medium does, which must not silence us
		}
	})
	go guarded(func() {
		defer close(beat.stopped)
		defer close(touches)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-beat.stopping:
				return
			case <-ticker.C:
				events.emit(progressEvent{"progress", counted.Load(), secondsSince(start)})
				select {
				case touches <- struct{}{}:
				default:
				}
			}
		}
	})
	return beat
}

// stop returns once no further progress event can follow.
func (beat *heartbeat) stop() {
	close(beat.stopping)
	<-beat.stopped
}
