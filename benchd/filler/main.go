// Command benchd-fill overwrites the free space of a handset's user storage with
// a keyed keystream, and proves by reading the medium that it is there.
//
// It speaks JSON lines: one request line on stdin, events on stdout. Every fill
// needs a fresh key: with a key used before, blocks left over from the earlier
// fill would pass for newly written ones.
package main

import (
	"io"
	"os"
)

func main() {
	watchHost()
	guarded(func() {
		events := &eventWriter{out: os.Stdout, hostGone: leaveHostGone}
		os.Exit(run(os.Args[1:], os.Stdin, events))
	})
}

// run does one command and returns its exit code.
func run(arguments []string, input io.Reader, events *eventWriter) int {
	status, err := dispatch(arguments, input, events)
	if err != nil {
		found := asFault(err)
		events.emit(errorEvent{"error", found.code, found.message})
		return found.code.exitStatus()
	}
	return status
}

func dispatch(arguments []string, input io.Reader, events *eventWriter) (int, error) {
	if len(arguments) != 1 {
		return 0, usage("give one command: fill, check, drop or version")
	}
	switch arguments[0] {
	case "fill":
		request, err := readRequest(input, parseFillRequest)
		if err != nil {
			return 0, err
		}
		return exitDone, fill(request, events)
	case "check":
		request, err := readRequest(input, parseCheckRequest)
		if err != nil {
			return 0, err
		}
		return check(request, events)
	case "drop":
		request, err := readRequest(input, parseDropRequest)
		if err != nil {
			return 0, err
		}
		return exitDone, drop(request, events)
	case "version":
		events.emit(versionEvent{"version", programVersion, cipherName})
		return exitDone, nil
	default:
		return 0, usage("unknown command %q: give fill, check, drop or version", arguments[0])
	}
}
