package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// tidyingTime bounds what is done once the host is gone: storage may hang too.
const tidyingTime = 2 * time.Second

var (
	hostIsGone atomic.Bool
	tidying    sync.Mutex
	tidy       func()
)

// tidyWhenHostGone says what to do before leaving: a storage left full endangers Android.
func tidyWhenHostGone(what func()) {
	tidying.Lock()
	defer tidying.Unlock()
	tidy = what
}

// leaveHostGone ends the program at once but for that. What is on the medium is judged by
// reading it, never by how this program ended.
func leaveHostGone() {
	hostIsGone.Store(true)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tidying.Lock()
		if tidy != nil {
			tidy()
		}
	}()
	select {
	case <-done:
	case <-time.After(tidyingTime):
	}
	os.Exit(exitHostGone)
}

// waitIfHostGone stops whoever would make new files while the program is leaving.
func waitIfHostGone() {
	if hostIsGone.Load() {
		select {}
	}
}

// watchHost turns "the host has gone" signals into an immediate end, whatever
// the other goroutines are waiting for.
func watchHost() {
	signal.Ignore(syscall.SIGPIPE) // a closed stdout shows as EPIPE on the write
	signal.Ignore(syscall.SIGXFSZ) // a file size limit shows as EFBIG on the write
	gone := make(chan os.Signal, 1)
	signal.Notify(gone, syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-gone
		leaveHostGone()
	}()
}

// watchSilence calls gone when the input has ended, or brought nothing for too long: the
// host sends empty lines while it waits. No limit means that nobody listens.
func watchSilence(input io.Reader, limit time.Duration, gone func()) {
	if limit == 0 {
		return
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		buffer := make([]byte, 64)
		for {
			count, err := input.Read(buffer)
			if err != nil {
				return
			}
			hostRest.hear(buffer[:count])
			heard <- struct{}{}
		}
	}()
	go func() {
		for {
			select {
			case _, open := <-heard:
				if !open {
					gone()
					return
				}
			case <-time.After(limit):
				gone()
				return
			}
		}
	}()
}

// guarded runs one goroutine's work; a panic is written to stderr and ends the
// program as a storage fault. Go's own exit status for it would read as "usage".
func guarded(work func()) {
	defer func() {
		if cause := recover(); cause != nil {
			fmt.Fprintf(os.Stderr, "panic: %v\n%s", cause, debug.Stack())
			os.Exit(exitIO)
		}
	}()
	work()
}
