package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"sync"
	"time"
)

const programVersion = "3"

type versionEvent struct {
	Event   string `json:"event"`
	Version string `json:"version"`
	Cipher  string `json:"cipher"`
}

type startedEvent struct {
	Event         string `json:"event"`
	Version       string `json:"version"`
	Cipher        string `json:"cipher"`
	PID           int    `json:"pid"`
	CapacityBytes int64  `json:"capacity_bytes"`
	FreeBytes     int64  `json:"free_bytes"`
	Mode          string `json:"mode"`
}

type progressEvent struct {
	Event    string  `json:"event"`
	Bytes    int64   `json:"bytes"`
	ElapsedS float64 `json:"elapsed_s"`
}

// filledFile is one file of a fill; the host hands the same list back to check it.
type filledFile struct {
	Name         string `json:"name"`
	StreamOffset int64  `json:"stream_offset"`
	Bytes        int64  `json:"bytes"`
}

type fillDoneEvent struct {
	Event string `json:"event"`
	// Bytes are all that the listed files hold, ResumedBytes those of them that an earlier
	// fill had written and this one has only read and proven.
	Bytes        int64 `json:"bytes"`
	ResumedBytes int64 `json:"resumed_bytes"`
	// PriorBytesProven are those of the request's prior bytes that were proven before the fill.
	PriorBytesProven int64        `json:"prior_bytes_proven"`
	ElapsedS         float64      `json:"elapsed_s"`
	Files            []filledFile `json:"files"`
	SmallFiles       int          `json:"small_files"`
	SmallBytes       int64        `json:"small_bytes"`
	Directories      int          `json:"directories"`
	// Logs is how the logs of hot and cold data were chosen: logsOne, logsByName or logsByBoth.
	Logs string `json:"logs"`
	// FullS is for how many seconds less than the headroom has been free.
	FullS           float64 `json:"full_s"`
	CapacityBytes   int64   `json:"capacity_bytes"`
	FreeBytesBefore int64   `json:"free_bytes_before"`
	FreeBytesAfter  int64   `json:"free_bytes_after"`
	UsedBytesBefore int64   `json:"used_bytes_before"`
	ReservedBytes   int64   `json:"reserved_bytes"`
}

// badRun is a stretch of one file that does not hold its keystream.
type badRun struct {
	Name   string `json:"name"`
	Offset int64  `json:"offset"`
	Bytes  int64  `json:"bytes"`
}

type checkDoneEvent struct {
	Event string `json:"event"`
	// BytesOrdered is what was to be read: all of the listed files, or the ranges.
	BytesOrdered int64 `json:"bytes_ordered"`
	BytesProven  int64 `json:"bytes_proven"`
	// BytesShown were read right after the page cache was seen to hold none of them.
	BytesShown int64    `json:"bytes_shown"`
	BytesBad   int64    `json:"bytes_bad"`
	Bad        []badRun `json:"bad"`
	// SmallSame counts the small files that were as they must be, perhaps out of a cache.
	SmallSame int     `json:"small_same"`
	PastCache string  `json:"past_cache"`
	ElapsedS  float64 `json:"elapsed_s"`
}

type dropDoneEvent struct {
	Event        string `json:"event"`
	FilesRemoved int    `json:"files_removed"`
	FreeBytes    int64  `json:"free_bytes"`
	Trim         string `json:"trim"`
	TrimmedBytes int64  `json:"trimmed_bytes"`
}

type errorEvent struct {
	Event   string    `json:"event"`
	Code    faultCode `json:"code"`
	Message string    `json:"message"`
}

// eventWriter writes one JSON line per event, whole lines only, from any goroutine.
type eventWriter struct {
	mutex sync.Mutex
	out   io.Writer
	// hostGone is called when a line can't be written: whoever read our output has left.
	hostGone func()
}

func (w *eventWriter) emit(event any) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(event); err != nil {
		panic(err) // events are plain structs: only a programming error gets here
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if _, err := w.out.Write(line.Bytes()); err != nil {
		w.hostGone()
	}
}

// secondsSince is the time gone by, in seconds with milliseconds.
func secondsSince(start time.Time) float64 {
	return math.Round(time.Since(start).Seconds()*1000) / 1000
}
