package main

import (
	"sync/atomic"
	"syscall"
)

// priorEnoughBytes of a keystream are what nobody else has; the whole is read again anyway.
const priorEnoughBytes = 1 << 20

// proveFirst finds on the medium, before anything is written, some of the first bytes that an
// earlier fill of this key had confirmed. A handset that holds none of them is another one.
func (d *directory) proveFirst(request fillRequest, stream generator) (int64, error) {
	if request.priorBytes == 0 {
		return 0, nil
	}
	names, err := d.own(isBodyName)
	if err != nil {
		return 0, err
	}
	reader := &disk{where: d, stream: stream, counted: new(atomic.Int64)}
	defer reader.stop()
	for _, name := range names {
		index, _ := fillIndex(name)
		// Files before it may be smaller than a full one, never larger: no more than was confirmed.
		start := int64(index) * request.fileBytes
		wanted := min(request.fileBytes, request.priorBytes-start, priorEnoughBytes)
		if wanted < blockBytes {
			break
		}
		if proven := reader.provenOf(name, start, wanted); proven > 0 {
			return proven, nil
		}
	}
	return 0, &fault{codeNotProven, "nothing is here of what was confirmed before"}
}

// provenOf is how much of the beginning of one file proves itself; the file stays as it is.
func (d *disk) provenOf(name string, streamOffset, size int64) int64 {
	fd, err := d.where.openExisting(name)
	if err != nil {
		return 0
	}
	defer func() { _ = syscall.Close(fd) }()
	var status syscall.Stat_t
	if err := syscall.Fstat(fd, &status); err != nil || status.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return 0
	}
	if evict(fd, name, status.Size) != nil {
		return 0
	}
	return d.proven(fd, streamOffset, min(size, status.Size)&^(blockBytes-1))
}
