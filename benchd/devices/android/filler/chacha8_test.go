package main

import (
	"bytes"
	"encoding/hex"
	"math/rand"
	"testing"
)

// J. Strombergson, draft-strombergson-chacha-test-vectors: 8 rounds, a key of 128 bits.
var chachaVectors = []struct{ key, stream string }{
	{"00000000000000000000000000000000",
		"e28a5fa4a67f8c5defed3e6fb7303486aa8427d31419a729572d777953491120" +
			"b64ab8e72b8deb85cd6aea7cb6089a101824beeb08814a428aab1fa2c816081b"},
}

func TestChaCha8Vectors(t *testing.T) {
	for _, vector := range chachaVectors {
		var key cipherKey
		if _, err := hex.Decode(key[:], []byte(vector.key)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(vector.stream)/2)
		newChaCha8(key).fillAt(got, 0)
		if hex.EncodeToString(got) != vector.stream {
			t.Errorf("key %s: got %x", vector.key, got)
		}
	}
}

// Bernstein's own words, one step at a time, with the rounds counted.
func plainChaCha8(key cipherKey, number uint64) []byte {
	start := [16]uint32{0x61707865, 0x3120646e, 0x79622d36, 0x6b206574}
	for word := range 8 {
		at := 4 * (word % 4)
		start[4+word] = uint32(key[at]) | uint32(key[at+1])<<8 | uint32(key[at+2])<<16 | uint32(key[at+3])<<24
	}
	start[12], start[13] = uint32(number), uint32(number>>32)
	state := start
	step := func(a, b, c, d int) {
		turn := func(x uint32, by uint) uint32 { return x<<by | x>>(32-by) }
		state[a] += state[b]
		state[d] = turn(state[d]^state[a], 16)
		state[c] += state[d]
		state[b] = turn(state[b]^state[c], 12)
		state[a] += state[b]
		state[d] = turn(state[d]^state[a], 8)
		state[c] += state[d]
		state[b] = turn(state[b]^state[c], 7)
	}
	for round := 1; round <= 8; round++ {
		for column := range 4 {
			if round%2 == 1 {
				step(column, column+4, column+8, column+12)
			} else {
				step(column, (column+1)%4+4, (column+2)%4+8, (column+3)%4+12)
			}
		}
	}
	var out []byte
	for word := range state {
		sum := state[word] + start[word]
		out = append(out, byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24))
	}
	return out
}

func TestChaCha8AtOffsets(t *testing.T) {
	stream := newChaCha8(testKey)
	random := rand.New(rand.NewSource(2))
	offsets := []int64{0, 1, 63, 64, 65, 4096, 64<<32 - 64, 64 << 32, 64<<32 + 3, 1<<62 + 7}
	for range 50 {
		offsets = append(offsets, random.Int63())
	}
	for _, offset := range offsets {
		for _, length := range []int{1, 63, 64, 65, 4096} {
			var want []byte
			for number := uint64(offset) / 64; len(want) < int(offset%64)+length; number++ {
				want = append(want, plainChaCha8(testKey, number)...)
			}
			want = want[offset%64:][:length]
			got := bytes.Repeat([]byte{0xaa}, length)
			stream.fillAt(got, offset)
			if !bytes.Equal(got, want) {
				t.Errorf("offset %d, length %d: wrong bytes", offset, length)
			}
		}
	}
}

func TestTheCipherIsNamed(t *testing.T) {
	want := make([]byte, 100)
	for name, stream := range map[string]generator{cipherAES: newKeystream(testKey), cipherChaCha: newChaCha8(testKey)} {
		chosen := newStream(testKey, name)
		got := make([]byte, 100)
		stream.fillAt(want, 12345)
		chosen.fillAt(got, 12345)
		if chosen.cipher != name || !bytes.Equal(got, want) {
			t.Errorf("%s gives %s", name, chosen.cipher)
		}
	}
	automatic := newStream(testKey, cipherAuto).cipher
	if (automatic == cipherAES) != hasFastAES() {
		t.Errorf("auto chose %s", automatic)
	}
}
