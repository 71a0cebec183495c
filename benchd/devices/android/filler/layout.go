package main

import "slices"

const (
	layoutAuto  = "auto"
	layoutPlain = "plain"
	layoutLogs  = "logs"

	logsOne    = "one"
	logsByName = "by_name"
	logsByBoth = "by_name_and_lifetime"

	// logBytes fills up the segments that f2fs has open for hot and for cold data: 2 MiB
	// each, source: Documentation/filesystems/f2fs.rst. Old blocks behind them are reached
	// by no other file as long as the log stands there.
	logBytes = 8 << 20
	// Inodes, with the content of small files beside them, and directories have logs of
	// their own, of 512 blocks to a segment.
	smallFilesFirst  = 1536
	directoriesFirst = 1024
	// The last gaps take small files when not one block of data fits any more.
	smallFilesRest = 1024
	// gapBytes may stay free in the end; more is tried again, so often at most. The host holds
	// against this what is left: LEAST_FREE_AFTER_FILL_BYTES of benchd/proof/floors.py.
	gapBytes  = 4 << 20
	mostTurns = 8 // MOST_TAILS of benchd/devices/android/fill/host_fill.py
	// segmentBlocks is how many blocks a segment has; to the end of an open one there are fewer.
	segmentBlocks = 512
	// ballastBytes are a segment for each of the logs, twice for those that two ways lead to,
	// and some to spare.
	ballastBytes = 24 << 20
	// smallBytes fits into an inode of f2fs, which has room for about 3,400 bytes.
	smallBytes = 3072
	// smallStreamOffset is where small file i has its stretch, after every possible fill
	// file: i blocks from here on.
	smallStreamOffset = 1 << 60

	// smallestHeadroomShare bounds the headroom on a small storage to one part in so many.
	smallestHeadroomShare = 8
	// With ballast in it, it needs more of a small one.
	smallestShareWithBallast = 4
)

// headroom is what the body leaves free.
func (l layout) headroom(asked, freeBytes int64) int64 {
	if l.ballast > 0 {
		return min(asked+l.ballast, freeBytes/smallestShareWithBallast)
	}
	return min(asked, freeBytes/smallestHeadroomShare)
}

// layout is how a file system wants to be filled: one that keeps hot, warm and cold data and
// inodes apart has each of its logs written to, since a large file alone leaves the old
// blocks of the other logs readable.
type layout struct {
	// logs names how the logs are chosen.
	logs string
	// first are the ends of the names of the first files, for each log and each way to it.
	first       []string
	tail        []string
	smallFirst  int
	smallRest   int
	directories int
	ballast     int64
}

func layoutFor(asked string, on space, seen abilities) layout {
	if asked != layoutLogs && (asked != layoutAuto || !on.splitsLogs) {
		return layout{logs: logsOne, tail: []string{warmEnd}, smallRest: smallFilesRest}
	}
	plan := layout{
		logs: logsByName, first: []string{hotEnd, coldEnd},
		smallFirst: smallFilesFirst, smallRest: smallFilesRest, directories: directoriesFirst,
		ballast: ballastBytes,
	}
	if seen.lifetimes {
		plan.logs = logsByBoth
		plan.first = append(plan.first, shortLifeEnd, longLifeEnd)
	}
	plan.tail = append(slices.Clone(plan.first), warmEnd)
	return plan
}

// bodyFile gives the name and the size of the body file with this index.
func (l layout) bodyFile(index int, fileBytes int64) (fileName, int64) {
	if index < len(l.first) {
		return fileName{index: index, end: l.first[index]}, min(logBytes, fileBytes)
	}
	return fileName{index: index, end: warmEnd}, fileBytes
}
