package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"path"
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
)

type fillRequest struct {
	directory string
	key       cipherKey
	fileBytes int64
	maxBytes  int64 // 0: until the medium is full
	pace      time.Duration
}

type checkRequest struct {
	directory string
	key       cipherKey
	fileBytes int64
	files     []filledFile
	pace      time.Duration
}

type dropRequest struct {
	directory string
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

func parseFillRequest(line []byte) (fillRequest, error) {
	var request fillRequest
	from, err := splitObject(line)
	if err != nil {
		return request, err
	}
	if request.directory, err = takeDirectory(from); err != nil {
		return request, err
	}
	if request.key, err = takeKey(from); err != nil {
		return request, err
	}
	if request.fileBytes, err = takeFileBytes(from); err != nil {
		return request, err
	}
	if request.pace, err = takePace(from); err != nil {
		return request, err
	}
	if request.maxBytes, err = takeOr[int64](from, "max_bytes", 0); err != nil {
		return request, err
	}
	if request.maxBytes < 0 || request.maxBytes > 0 && request.maxBytes < blockBytes {
		return request, usage("max_bytes must be 0 (no limit) or at least %d", blockBytes)
	}
	return request, from.refuseRest()
}

func parseCheckRequest(line []byte) (checkRequest, error) {
	var request checkRequest
	from, err := splitObject(line)
	if err != nil {
		return request, err
	}
	if request.directory, err = takeDirectory(from); err != nil {
		return request, err
	}
	if request.key, err = takeKey(from); err != nil {
		return request, err
	}
	if request.fileBytes, err = takeFileBytes(from); err != nil {
		return request, err
	}
	if request.pace, err = takePace(from); err != nil {
		return request, err
	}
	if request.files, err = takeFiles(from, request.fileBytes); err != nil {
		return request, err
	}
	return request, from.refuseRest()
}

func parseDropRequest(line []byte) (dropRequest, error) {
	var request dropRequest
	from, err := splitObject(line)
	if err != nil {
		return request, err
	}
	if request.directory, err = takeDirectory(from); err != nil {
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

// takeFiles refuses an empty list and a file listed twice: either could make
// "everything listed is proven" true without proof.
func takeFiles(from fields, fileBytes int64) ([]filledFile, error) {
	listed, err := take[[]json.RawMessage](from, "files")
	if err != nil {
		return nil, err
	}
	if len(listed) == 0 {
		return nil, usage("files is empty: there is nothing to prove")
	}
	files := make([]filledFile, 0, len(listed))
	seen := make(map[string]bool, len(listed))
	for _, text := range listed {
		file, err := parseFile(text, fileBytes)
		if err != nil {
			return nil, err
		}
		if seen[file.Name] {
			return nil, usage("file %q is listed twice", file.Name)
		}
		seen[file.Name] = true
		files = append(files, file)
	}
	return files, nil
}

func parseFile(text []byte, fileBytes int64) (filledFile, error) {
	var file filledFile
	from, err := splitObject(text)
	if err != nil {
		return file, err
	}
	if file.Name, err = take[string](from, "name"); err != nil {
		return file, err
	}
	if file.StreamOffset, err = take[int64](from, "stream_offset"); err != nil {
		return file, err
	}
	if file.Bytes, err = take[int64](from, "bytes"); err != nil {
		return file, err
	}
	index, isFillName := fillIndex(file.Name)
	if !isFillName {
		return file, usage("%q is not the name of a fill file", file.Name)
	}
	if file.StreamOffset != int64(index)*fileBytes {
		return file, usage("file %q must have stream_offset %d", file.Name, int64(index)*fileBytes)
	}
	if file.Bytes < 1 || file.Bytes > fileBytes {
		return file, usage("file %q must have between 1 and %d bytes", file.Name, fileBytes)
	}
	return file, from.refuseRest()
}
