package main

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

const (
	blockBytes = 4096    // the unit of proof and the smallest write
	chunkBytes = 4 << 20 // the usual write and read
)

type cipherKey [16]byte

// zeros is small enough to stay in the processor's own cache.
var zeros [32 << 10]byte

// keystream is AES-128 in counter mode: the counter of a cipher block is its
// byte offset divided by the cipher's block size, as a big-endian 128-bit number.
type keystream struct {
	block cipher.Block
}

func newKeystream(key cipherKey) *keystream {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // a 16-byte key is always accepted
	}
	return &keystream{block}
}

// fillAt overwrites target with the stream's bytes from this offset on.
func (k *keystream) fillAt(target []byte, offset int64) {
	k.fillFrom(target, counterAt(0, uint64(offset)/aes.BlockSize), int(offset%aes.BlockSize))
}

// fillFrom overwrites target with the stream from a counter on, leaving out the first skipped bytes.
func (k *keystream) fillFrom(target []byte, counter [aes.BlockSize]byte, skipped int) {
	stream := cipher.NewCTR(k.block, counter[:])
	if skipped > 0 {
		var head [aes.BlockSize]byte
		stream.XORKeyStream(head[:skipped], head[:skipped])
	}
	for len(target) > 0 {
		piece := target[:min(len(target), len(zeros))]
		stream.XORKeyStream(piece, zeros[:len(piece)])
		target = target[len(piece):]
	}
}

func counterAt(high, low uint64) [aes.BlockSize]byte {
	var counter [aes.BlockSize]byte
	binary.BigEndian.PutUint64(counter[:8], high)
	binary.BigEndian.PutUint64(counter[8:], low)
	return counter
}
