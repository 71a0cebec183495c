// Command benchd-fill overwrites the free space of a handset's user storage with
// a keyed keystream, and proves by reading the medium that it is there.
//
// It speaks JSON lines: one request line on stdin, events on stdout. Nothing is believed
// because of how an earlier run ended: files of an earlier fill with the same key are read
// and compared before a fill goes on with them.
package main

import (
	"io"
	"os"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == guardCommand {
		os.Exit(runGuard(os.Args[2:]))
	}
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
		watchSilence(input, request.hostSilence, events.hostGone)
		return exitDone, fill(request, events)
	case "check":
		request, err := readRequest(input, parseCheckRequest)
		if err != nil {
			return 0, err
		}
		watchSilence(input, request.hostSilence, events.hostGone)
		return check(request, events)
	case "drop":
		request, err := readRequest(input, parseDropRequest)
		if err != nil {
			return 0, err
		}
		return exitDone, drop(request, events)
	case "version":
		events.emit(versionEvent{"version", programVersion, newStream(cipherKey{}, cipherAuto).cipher})
		return exitDone, nil
	default:
		return 0, usage("unknown command %q: give fill, check, drop or version", arguments[0])
	}
}
