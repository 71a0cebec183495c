package main

import (
	"math"
	"math/bits"
	"syscall"
)

// space is what statfs says of the file system that holds the directory.
type space struct {
	capacityBytes int64
	freeBytes     int64 // for this program; the file system's reserve is not in it
	usedBytes     int64
	reservedBytes int64
	inMemory      bool
	// splitsLogs is true where hot, warm and cold data are kept apart.
	splitsLogs bool
}

// Magic numbers of file systems that are nothing but page cache.
const (
	tmpfsMagic     = 0x01021994
	ramfsMagic     = 0x858458f6
	hugetlbfsMagic = 0x958458f6
	f2fsMagic      = 0xf2f52010
)

func (d *directory) space() (space, error) {
	var status syscall.Statfs_t
	if err := interrupted(func() error { return syscall.Fstatfs(d.fd(), &status) }); err != nil {
		return space{}, storageFault("ask for free space", err)
	}
	unit := uint64(status.Frsize)
	if unit == 0 {
		unit = uint64(status.Bsize)
	}
	magic := uint32(status.Type)
	return space{
		capacityBytes: product(status.Blocks, unit),
		freeBytes:     product(status.Bavail, unit),
		usedBytes:     product(status.Blocks-min(status.Bfree, status.Blocks), unit),
		reservedBytes: product(status.Bfree-min(status.Bavail, status.Bfree), unit),
		inMemory:      magic == tmpfsMagic || magic == ramfsMagic || magic == hugetlbfsMagic,
		splitsLogs:    magic == f2fsMagic,
	}, nil
}

// product multiplies, and stays at the largest number rather than wrap around.
func product(count, unit uint64) int64 {
	high, low := bits.Mul64(count, unit)
	if high != 0 || low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(low)
}
