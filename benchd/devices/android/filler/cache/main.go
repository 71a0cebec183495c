// Command benchd-cache tells how much of a file is in a handset's page cache, and empties it.
//
// It stands beside benchd-fill and shares not a line with it: the host's own look at the medium
// rests on this program, so that a mistake in the other one can't hide itself. It reads no
// file's bytes; what it says is shown by the handset's own dd, which must find the cache empty
// and leave it full.
package main

import (
	"os"
	"strconv"
	"time"
)

const version = "1"

const (
	exitDone    = 0
	exitStays   = 1
	exitUsage   = 2
	exitStorage = 4
)

const attempts = 10

func main() { os.Exit(run(os.Args[1:])) }

// run does one command: "empty FILE OFFSET BYTES", "count FILE OFFSET BYTES" or "version".
func run(arguments []string) int {
	if len(arguments) == 1 && arguments[0] == "version" {
		return say("cache version=" + version)
	}
	if len(arguments) != 4 {
		return refuse("give empty or count, a file, an offset and a number of bytes")
	}
	offset, offsetErr := strconv.ParseInt(arguments[2], 10, 64)
	length, lengthErr := strconv.ParseInt(arguments[3], 10, 64)
	if offsetErr != nil || lengthErr != nil || offset < 0 || length < 1 || offset+length < offset {
		return refuse("the offset or the number of bytes is none")
	}
	look, err := openWindow(arguments[1], offset, length)
	if err != nil {
		return fail(err)
	}
	defer look.close()
	switch arguments[0] {
	case "empty":
		return empty(look)
	case "count":
		return count(look)
	}
	return refuse("give empty or count")
}

// empty has the kernel let go of the file until it says that none of the window is left.
func empty(look *window) int {
	for attempt := range attempts {
		// A page on its way between the kernel's lists is passed over, and gone a moment later.
		time.Sleep(time.Duration(attempt*attempt) * 2 * time.Millisecond)
		if err := look.letGo(); err != nil {
			return fail(err)
		}
		resident, err := look.resident()
		if err != nil {
			return fail(err)
		}
		if resident == 0 {
			return tell("empty", look, 0)
		}
	}
	tellWhatStays(look)
	return exitStays
}

func tellWhatStays(look *window) {
	if resident, err := look.resident(); err == nil {
		tell("empty", look, resident)
	}
}

func count(look *window) int {
	resident, err := look.resident()
	if err != nil {
		return fail(err)
	}
	return tell("count", look, resident)
}

func tell(word string, look *window, resident int64) int {
	return say("cache " + word + " page_bytes=" + strconv.FormatInt(look.pageBytes, 10) +
		" pages=" + strconv.FormatInt(look.pages(), 10) +
		" resident=" + strconv.FormatInt(resident, 10))
}

func say(line string) int {
	if _, err := os.Stdout.WriteString(line + "\n"); err != nil {
		return exitStorage
	}
	return exitDone
}

func refuse(why string) int {
	_, _ = os.Stdout.WriteString("cache refused " + why + "\n")
	return exitUsage
}

func fail(err error) int {
	_, _ = os.Stdout.WriteString("cache failed " + err.Error() + "\n")
	return exitStorage
}
