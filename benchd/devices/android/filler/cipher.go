package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime"
	"slices"
)

const (
	cipherAuto   = "auto"
	cipherAES    = "aes-128-ctr"
	cipherChaCha = "chacha8"
)

// generator makes a virtual endless stream in which every byte offset can be computed on its own.
type generator interface {
	// fillAt overwrites target with the stream's bytes from this offset on.
	fillAt(target []byte, offset int64)
}

// namedStream is a generator with the name by which the host computes the same bytes.
type namedStream struct {
	generator
	cipher string
}

// newStream gives the stream of a cipher; cipherAuto chooses the faster one for this processor.
func newStream(key cipherKey, name string) namedStream {
	if name == cipherAuto {
		name = cipherChaCha
		if hasFastAES() {
			name = cipherAES
		}
	}
	if name == cipherChaCha {
		return namedStream{newChaCha8(key), cipherChaCha}
	}
	return namedStream{newKeystream(key), cipherAES}
}

// hasFastAES says whether the processor has AES instructions and Go's library uses them, which
// it does on 64-bit processors only. What can't be found out counts as no.
func hasFastAES() bool {
	switch runtime.GOARCH {
	case "amd64":
		return cpuFlags("aes", "ssse3", "sse4_1")
	case "arm64":
		return auxiliary(auxHWCAP)&hwcapAES != 0
	}
	return false
}

// cpuFlags looks for words in the first "flags" line of /proc/cpuinfo.
func cpuFlags(wanted ...string) bool {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(text, []byte("\nflags"))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	found := bytes.Fields(line)
	for _, flag := range wanted {
		if !slices.ContainsFunc(found, func(have []byte) bool { return string(have) == flag }) {
			return false
		}
	}
	return true
}

const (
	auxHWCAP = 16     // AT_HWCAP, linux/auxvec.h
	hwcapAES = 1 << 3 // HWCAP_AES of arm64, asm/hwcap.h
)

// auxiliary reads one value of the vector that the kernel hands to every 64-bit program.
func auxiliary(wanted uint64) uint64 {
	vector, err := os.ReadFile("/proc/self/auxv")
	if err != nil {
		return 0
	}
	for ; len(vector) >= 16; vector = vector[16:] {
		if binary.NativeEndian.Uint64(vector) == wanted {
			return binary.NativeEndian.Uint64(vector[8:])
		}
	}
	return 0
}
