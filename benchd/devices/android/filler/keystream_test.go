package main

import (
	"bytes"
	"crypto/aes"
	"encoding/hex"
	"math/big"
	"math/rand"
	"testing"
)

// plainKeystream computes the stream the slow way: one cipher block per counter, with big integers.
func plainKeystream(t *testing.T, counter *big.Int, length int) []byte {
	t.Helper()
	block, err := aes.NewCipher(testKey[:])
	if err != nil {
		t.Fatal(err)
	}
	wrap := new(big.Int).Lsh(big.NewInt(1), 128)
	counter = new(big.Int).Set(counter)
	var stream []byte
	for len(stream) < length {
		var in, out [aes.BlockSize]byte
		counter.FillBytes(in[:])
		block.Encrypt(out[:], in[:])
		stream = append(stream, out[:]...)
		counter.Add(counter, big.NewInt(1)).Mod(counter, wrap)
	}
	return stream[:length]
}

func TestStandardVector(t *testing.T) {
	// NIST SP 800-38A, F.5.1: the first output block of CTR-AES128.
	stream := newKeystream(testKey)
	got := make([]byte, aes.BlockSize)
	stream.fillFrom(got, counterAt(0xf0f1f2f3f4f5f6f7, 0xf8f9fafbfcfdfeff), 0)
	if want := "ec8cdf7398607cb0f2d21675ea9ea1e4"; hex.EncodeToString(got) != want {
		t.Fatalf("got %x, want %s", got, want)
	}
}

func TestStreamAtOffsets(t *testing.T) {
	const carry32 = int64(aes.BlockSize) << 32
	offsets := []int64{0, 1, 15, 16, 17, 4095, 4096, 1<<20 - 3, 1 << 30,
		carry32 - 4096, carry32 - 17, carry32 - 1, carry32, carry32 + 5, 1<<62 + 7}
	stream := newKeystream(testKey)
	for _, offset := range offsets {
		for _, length := range []int{1, 16, 31, 4096, 5000} {
			skipped := int(offset % aes.BlockSize)
			want := plainKeystream(t, big.NewInt(offset/aes.BlockSize), skipped+length)[skipped:]
			got := bytes.Repeat([]byte{0xaa}, length)
			stream.fillAt(got, offset)
			if !bytes.Equal(got, want) {
				t.Errorf("offset %d, length %d: wrong bytes", offset, length)
			}
		}
	}
}

func TestCounterCarry(t *testing.T) {
	const all = ^uint64(0)
	stream := newKeystream(testKey)
	for _, start := range [][2]uint64{{0, 1<<32 - 1}, {0, all}, {41, all}, {0, all - 1}, {all, all}} {
		counter := new(big.Int).Lsh(new(big.Int).SetUint64(start[0]), 64)
		counter.Or(counter, new(big.Int).SetUint64(start[1]))
		got := make([]byte, 70)
		stream.fillFrom(got, counterAt(start[0], start[1]), 0)
		if !bytes.Equal(got, plainKeystream(t, counter, len(got))) {
			t.Errorf("counter %x: the carry is wrong", start)
		}
	}
}

func TestReadAheadGivesTheStream(t *testing.T) {
	stream := newKeystream(testKey)
	ahead := newTestAhead(t)
	random := rand.New(rand.NewSource(1))
	offset := int64(0)
	for range 200 {
		length := (1 + random.Intn(chunkBytes/blockBytes)) * blockBytes
		want := make([]byte, length)
		stream.fillAt(want, offset)
		if !bytes.Equal(ahead.chunk(offset, length), want) {
			t.Fatalf("offset %d, length %d: wrong bytes", offset, length)
		}
		switch random.Intn(4) {
		case 0: // the same place again, as after "no room left"
		case 1:
			offset = random.Int63n(1<<30) &^ (blockBytes - 1)
		default:
			offset += int64(length)
		}
	}
}

func BenchmarkKeystream(b *testing.B) {
	stream := newKeystream(testKey)
	buffer := make([]byte, chunkBytes)
	b.SetBytes(chunkBytes)
	for index := range b.N {
		stream.fillAt(buffer, int64(index)*chunkBytes)
	}
}

func BenchmarkChaCha8(b *testing.B) {
	stream := newChaCha8(testKey)
	buffer := make([]byte, chunkBytes)
	b.SetBytes(chunkBytes)
	for index := range b.N {
		stream.fillAt(buffer, int64(index)*chunkBytes)
	}
}
