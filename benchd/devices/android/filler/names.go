package main

import (
	"fmt"
	"strings"
)

const (
	bodyPrefix  = "fill-"
	tailPrefix  = "tail-"
	smallPrefix = "small-"
	dirPrefix   = "dir-"
	probeName   = "probe"
	nameDigits  = 6
	maxFiles    = 1_000_000
	lockName    = "lock"
)

// f2fs chooses the log of a file's data by the end of its name, as long as it is written through
// the page cache: data bases are hot, pictures are cold, all else is warm. O_DIRECT doesn't look
// at the name, but at how long the data was said to live; which of both a kernel's logs obey
// depends on its age and on active_logs. Source: fs/f2fs/namei.c, segment.c and mkfs.f2fs.
const (
	warmEnd      = ".dat"
	hotEnd       = ".db"
	coldEnd      = ".jpg"
	shortLifeEnd = ".short"
	longLifeEnd  = ".long"
)

// Names so long that few of them fill a block of their directory: with active_logs=4 nothing but
// directories gets into the log of hot data.
var (
	longWord = "-" + strings.Repeat("x", 220)
	smallEnd = longWord + warmEnd
)

// fileEnds are the ends that the name of a fill file may have.
var fileEnds = []string{warmEnd, hotEnd, coldEnd, shortLifeEnd, longLifeEnd}

// fileName is the name of a fill file taken apart.
type fileName struct {
	index int
	// tail marks a file that takes the last room: it is proven first and deleted at once.
	tail bool
	end  string
}

func (n fileName) String() string {
	prefix := bodyPrefix
	if n.tail {
		prefix = tailPrefix
	}
	return fmt.Sprintf("%s%0*d%s", prefix, nameDigits, n.index, n.end)
}

// fillName is the usual name of the fill file with this index.
func fillName(index int) string { return fileName{index: index, end: warmEnd}.String() }

// parseName takes a fill file's name apart; other names are none of this program's business.
func parseName(name string) (fileName, bool) {
	for _, prefix := range []string{bodyPrefix, tailPrefix} {
		for _, end := range fileEnds {
			if index, found := numbered(name, prefix, end); found {
				return fileName{index, prefix == tailPrefix, end}, true
			}
		}
	}
	return fileName{}, false
}

// fillIndex reads the index out of a fill file's name.
func fillIndex(name string) (int, bool) {
	parsed, isFillName := parseName(name)
	return parsed.index, isFillName
}

// smallName is the name of a file that is meant to fit beside its own inode.
func smallName(index int) string {
	return fmt.Sprintf("%s%0*d%s", smallPrefix, nameDigits, index, smallEnd)
}

func directoryName(index int) string {
	return fmt.Sprintf("%s%0*d%s", dirPrefix, nameDigits, index, longWord)
}

func isBodyName(name string) bool {
	parsed, isFillName := parseName(name)
	return isFillName && !parsed.tail
}

func isTailName(name string) bool {
	parsed, isFillName := parseName(name)
	return isFillName && parsed.tail
}

// isOwnName tells everything that this program makes and removes, which the lock is not.
func isOwnName(name string) bool {
	_, isFillName := parseName(name)
	return isFillName || isSmallName(name) || isDirectoryName(name) || name == probeName
}

// isSmallName and isDirectoryName tell the rest of what this program makes.
func isSmallName(name string) bool {
	_, found := numbered(name, smallPrefix, smallEnd)
	return found
}

func isDirectoryName(name string) bool {
	_, found := numbered(name, dirPrefix, longWord)
	return found
}

// numbered reads the digits between a prefix and an end.
func numbered(name, prefix, end string) (int, bool) {
	rest, hasPrefix := strings.CutPrefix(name, prefix)
	digits, hasEnd := strings.CutSuffix(rest, end)
	if !hasPrefix || !hasEnd || len(digits) != nameDigits {
		return 0, false
	}
	index := 0
	for _, digit := range []byte(digits) {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		index = index*10 + int(digit-'0')
	}
	return index, true
}
