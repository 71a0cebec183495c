package main

import (
	"errors"
	"fmt"
	"syscall"
)

// Exit codes. The host takes nothing but exitDone, together with a "done" event, for success.
const (
	exitDone     = 0
	exitBad      = 1
	exitUsage    = 2
	exitBusy     = 3
	exitIO       = 4
	exitHostGone = 5
)

// faultCode names why the program gave up.
type faultCode string

const (
	codeUsage faultCode = "usage"
	codeBusy  faultCode = "busy"
	codeIO    faultCode = "io"
	// codeQuota is a limit of the system's own for this program's user, not of the medium.
	codeQuota           faultCode = "quota"
	codeCacheNotEvicted faultCode = "cache_not_evicted"
	codeHostGone        faultCode = "host_gone"
	codeNotProven       faultCode = "not_proven"
)

// exitStatus gives the exit code that belongs to a fault code.
func (code faultCode) exitStatus() int {
	switch code {
	case codeUsage:
		return exitUsage
	case codeBusy:
		return exitBusy
	case codeNotProven:
		return exitBad
	case codeHostGone:
		return exitHostGone
	default:
		return exitIO
	}
}

// fault is an error that ends the program.
type fault struct {
	code    faultCode
	message string
}

func (f *fault) Error() string { return string(f.code) + ": " + f.message }

func usage(format string, values ...any) error {
	return &fault{codeUsage, fmt.Sprintf(format, values...)}
}

// storageFault says what storage failed to do; an error that is a fault already stays as it is.
func storageFault(doing string, err error) error {
	var found *fault
	if errors.As(err, &found) {
		return found
	}
	return &fault{codeOf(err), doing + ": " + err.Error()}
}

// codeOf tells a quota from a medium that fails.
func codeOf(err error) faultCode {
	if errors.Is(err, syscall.EDQUOT) {
		return codeQuota
	}
	return codeIO
}

// asFault finds the fault in an error; an error nobody classified counts as a storage fault.
func asFault(err error) *fault {
	var found *fault
	if errors.As(err, &found) {
		return found
	}
	return &fault{codeOf(err), err.Error()}
}

// isFull tells "no room left" from real faults. A quota isn't it: behind one lies room that was
// never written.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }
