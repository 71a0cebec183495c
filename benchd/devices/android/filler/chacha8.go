package main

import (
	"encoding/binary"
	"math/bits"
)

const chachaBlockBytes = 64

// chacha8 is Bernstein's ChaCha with 8 rounds and a key of 16 bytes: block n of
// the stream is bytes 64 n to 64 n + 63, its counter n in 64 bits, its nonce zero.
// Source: D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008.
type chacha8 struct {
	key [4]uint32
}

func newChaCha8(key cipherKey) *chacha8 {
	var words [4]uint32
	for index := range words {
		words[index] = binary.LittleEndian.Uint32(key[4*index:])
	}
	return &chacha8{words}
}

// fillAt overwrites target with the stream's bytes from this offset on.
func (c *chacha8) fillAt(target []byte, offset int64) {
	number, skipped := uint64(offset)/chachaBlockBytes, int(offset%chachaBlockBytes)
	var block [chachaBlockBytes]byte
	if skipped > 0 {
		c.block(&block, number)
		target = target[copy(target, block[skipped:]):]
		number++
	}
	for ; len(target) >= chachaBlockBytes; target = target[chachaBlockBytes:] {
		c.block((*[chachaBlockBytes]byte)(target), number)
		number++
	}
	if len(target) > 0 {
		c.block(&block, number)
		copy(target, block[:])
	}
}

// block computes one block; the constants are "expand 16-byte k", and the key stands twice.
func (c *chacha8) block(out *[chachaBlockBytes]byte, number uint64) {
	const s0, s1, s2, s3 uint32 = 0x61707865, 0x3120646e, 0x79622d36, 0x6b206574
	k0, k1, k2, k3 := c.key[0], c.key[1], c.key[2], c.key[3]
	n0, n1 := uint32(number), uint32(number>>32)
	x0, x1, x2, x3 := s0, s1, s2, s3
	x4, x5, x6, x7 := k0, k1, k2, k3
	x8, x9, x10, x11 := k0, k1, k2, k3
	x12, x13, x14, x15 := n0, n1, uint32(0), uint32(0)
	for range 4 {
		x0, x4, x8, x12 = quarterRound(x0, x4, x8, x12)
		x1, x5, x9, x13 = quarterRound(x1, x5, x9, x13)
		x2, x6, x10, x14 = quarterRound(x2, x6, x10, x14)
		x3, x7, x11, x15 = quarterRound(x3, x7, x11, x15)
		x0, x5, x10, x15 = quarterRound(x0, x5, x10, x15)
		x1, x6, x11, x12 = quarterRound(x1, x6, x11, x12)
		x2, x7, x8, x13 = quarterRound(x2, x7, x8, x13)
		x3, x4, x9, x14 = quarterRound(x3, x4, x9, x14)
	}
	words := [...]uint32{x0 + s0, x1 + s1, x2 + s2, x3 + s3, x4 + k0, x5 + k1, x6 + k2, x7 + k3,
		x8 + k0, x9 + k1, x10 + k2, x11 + k3, x12 + n0, x13 + n1, x14, x15}
	for index, word := range words {
		binary.LittleEndian.PutUint32(out[4*index:], word)
	}
}

func quarterRound(a, b, c, d uint32) (uint32, uint32, uint32, uint32) {
	a += b
	d = bits.RotateLeft32(d^a, 16)
	c += d
	b = bits.RotateLeft32(b^c, 12)
	a += b
	d = bits.RotateLeft32(d^a, 8)
	c += d
	b = bits.RotateLeft32(b^c, 7)
	return a, b, c, d
}
