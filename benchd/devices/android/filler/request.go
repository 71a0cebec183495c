package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	maxRequestBytes = 1 << 20
	maxFileBytes    = 1 << 40 // keeps every stream offset inside 63 bits
	maxPathBytes    = 4000
	defaultPaceS    = 1.0
	minPaceS        = 0.05
	maxPaceS        = 3600.0
	maxWatchS       = 7 * 24 * 3600.0
)

// streamRequest is what a fill and a check of it are told alike.
type streamRequest struct {
	directory   string
	key         cipherKey
	fileBytes   int64
	pace        time.Duration
	cipher      string
	hostSilence time.Duration // 0: nobody listens
}

type fillRequest struct {
	streamRequest
	maxBytes int64 // 0: until the medium is full
	// resume lets files of an earlier fill with the same key prove themselves.
	resume bool
	// priorBytes is how many bytes of the body had been confirmed before the handset was away.
	priorBytes    int64
	headroomBytes int64
	layout        string
	guardTail     time.Duration
	guardKeep     time.Duration // 0: no guard
}

type checkRequest struct {
	streamRequest
	files []filledFile
	// ranges are the stretches of each file that are to be read; nil for all of every file.
	ranges     [][]stretch
	smallFiles int
}

type dropRequest struct {
	directory string
	onlyTail  bool
}

// readRequest reads one line, no further, and parses it. An end of input after
// it is not looked for: it would say nothing about whether the host is there.
func readRequest[T any](input io.Reader, parse func([]byte) (T, error)) (T, error) {
	var nothing T
	reader := bufio.NewReader(io.LimitReader(input, maxRequestBytes+1))
	line, err := reader.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nothing, usage("the request can't be read: %v", err)
	}
	if len(line) > maxRequestBytes {
		return nothing, usage("the request line is longer than %d bytes", maxRequestBytes)
	}
	return parse(line)
}

// startRequest takes the line apart and reads what every request begins with.
func startRequest(line []byte) (fields, string, error) {
	from, err := splitObject(line)
	if err != nil {
		return nil, "", err
	}
	directory, err := takeDirectory(from)
	return from, directory, err
}

// startStreamRequest is startRequest for those that are about a keystream.
func startStreamRequest(line []byte) (fields, streamRequest, error) {
	var request streamRequest
	from, directory, err := startRequest(line)
	if err != nil {
		return nil, request, err
	}
	request.directory = directory
	if request.key, err = takeKey(from); err != nil {
		return nil, request, err
	}
	if request.fileBytes, err = takeFileBytes(from); err != nil {
		return nil, request, err
	}
	if request.pace, err = takePace(from); err != nil {
		return nil, request, err
	}
	if request.cipher, err = takeWord(from, "cipher", cipherAuto, cipherAES, cipherChaCha); err != nil {
		return nil, request, err
	}
	request.hostSilence, err = takeSeconds(from, "host_silence_s")
	return from, request, err
}

func parseFillRequest(line []byte) (fillRequest, error) {
	var request fillRequest
	from, start, err := startStreamRequest(line)
	if err != nil {
		return request, err
	}
	request.streamRequest = start
	if request.maxBytes, err = takeOr[int64](from, "max_bytes", 0); err != nil {
		return request, err
	}
	if request.maxBytes < 0 || request.maxBytes > 0 && request.maxBytes < blockBytes {
		return request, usage("max_bytes must be 0 (no limit) or at least %d", blockBytes)
	}
	if request.resume, err = takeOr(from, "resume", false); err != nil {
		return request, err
	}
	if request.priorBytes, err = takeOr[int64](from, "prior_bytes", 0); err != nil {
		return request, err
	}
	if request.priorBytes < 0 || request.priorBytes > 0 && !request.resume {
		return request, usage("prior_bytes must not be negative, and needs resume")
	}
	if request.headroomBytes, err = takeOr[int64](from, "headroom_bytes", 0); err != nil {
		return request, err
	}
	if request.headroomBytes < 0 {
		return request, usage("headroom_bytes must not be negative")
	}
	if request.layout, err = takeWord(from, "layout", layoutAuto, layoutPlain, layoutLogs); err != nil {
		return request, err
	}
	if err := takeGuard(from, &request); err != nil {
		return request, err
	}
	return request, from.refuseRest()
}

// takeGuard reads for how long nothing may be at work after a fill.
func takeGuard(from fields, request *fillRequest) error {
	var err error
	if request.guardTail, err = takeSeconds(from, "guard_tail_s"); err != nil {
		return err
	}
	if request.guardKeep, err = takeSeconds(from, "guard_keep_s"); err != nil {
		return err
	}
	if request.guardKeep < request.guardTail || request.guardKeep > 0 && request.guardTail == 0 {
		return usage("guard_keep_s must be at least guard_tail_s, and both be given or none")
	}
	return nil
}

func parseCheckRequest(line []byte) (checkRequest, error) {
	var request checkRequest
	from, start, err := startStreamRequest(line)
	if err != nil {
		return request, err
	}
	request.streamRequest = start
	if request.files, err = takeFiles(from, request.fileBytes); err != nil {
		return request, err
	}
	if request.ranges, err = takeRanges(from, request.files); err != nil {
		return request, err
	}
	if request.smallFiles, err = takeOr(from, "small_files", 0); err != nil {
		return request, err
	}
	if request.smallFiles < 0 || request.smallFiles > maxFiles {
		return request, usage("small_files must lie between 0 and %d", maxFiles)
	}
	return request, from.refuseRest()
}

func parseDropRequest(line []byte) (dropRequest, error) {
	var request dropRequest
	from, directory, err := startRequest(line)
	if err != nil {
		return request, err
	}
	request.directory = directory
	if request.onlyTail, err = takeOr(from, "only_tail", false); err != nil {
		return request, err
	}
	return request, from.refuseRest()
}

// takeDirectory wants the one spelling of an absolute path: a trailing slash
// would make the system follow a symlink that it must refuse.
func takeDirectory(from fields) (string, error) {
	directory, err := take[string](from, "directory")
	if err != nil {
		return "", err
	}
	if !path.IsAbs(directory) || path.Clean(directory) != directory || directory == "/" {
		return "", usage("directory must be a plain absolute path, not %q", directory)
	}
	if len(directory) > maxPathBytes || strings.ContainsRune(directory, 0) {
		return "", usage("directory is no usable path")
	}
	return directory, nil
}

func takeKey(from fields) (cipherKey, error) {
	var key cipherKey
	text, err := take[string](from, "key")
	if err != nil {
		return key, err
	}
	if len(text) != hex.EncodedLen(len(key)) {
		return key, usage("key must be %d hex digits", hex.EncodedLen(len(key)))
	}
	if _, err := hex.Decode(key[:], []byte(text)); err != nil {
		return key, usage("key must be %d hex digits", hex.EncodedLen(len(key)))
	}
	return key, nil
}

func takeFileBytes(from fields) (int64, error) {
	fileBytes, err := take[int64](from, "file_bytes")
	if err != nil {
		return 0, err
	}
	if fileBytes < blockBytes || fileBytes > maxFileBytes || fileBytes%blockBytes != 0 {
		return 0, usage("file_bytes must be a multiple of %d, at most %d", blockBytes, int64(maxFileBytes))
	}
	return fileBytes, nil
}

func takePace(from fields) (time.Duration, error) {
	seconds, err := takeOr(from, "progress_s", defaultPaceS)
	if err != nil {
		return 0, err
	}
	if seconds < minPaceS || seconds > maxPaceS {
		return 0, usage("progress_s must lie between %g and %g", minPaceS, maxPaceS)
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// takeWord reads one of a few words, the first of which is meant when the key is left out.
func takeWord(from fields, key string, words ...string) (string, error) {
	word, err := takeOr(from, key, words[0])
	if err != nil {
		return "", err
	}
	if !slices.Contains(words, word) {
		return "", usage("%s must be one of %q", key, words)
	}
	return word, nil
}

// takeSeconds reads a length of time that may be left out, or 0, for none.
func takeSeconds(from fields, key string) (time.Duration, error) {
	seconds, err := takeOr(from, key, 0.0)
	if err != nil {
		return 0, err
	}
	if seconds < 0 || seconds > maxWatchS || seconds > 0 && seconds < minPaceS {
		return 0, usage("%s must be 0 or lie between %g and %g", key, minPaceS, maxWatchS)
	}
	return duration(seconds), nil
}
