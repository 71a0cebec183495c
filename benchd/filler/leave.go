package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// leaveHostGone ends the program at once. Nothing is tidied up: what is on the
// medium is judged by reading it, never by how this program ended.
func leaveHostGone() { os.Exit(exitHostGone) }

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
