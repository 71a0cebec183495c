package main

const maxBadRuns = 64

// badRuns counts every bad byte and lists the first stretches of them, merged where they touch.
type badRuns struct {
	bytes int64
	runs  []badRun
}

func (b *badRuns) add(name string, offset, size int64) {
	b.bytes += size
	if count := len(b.runs); count > 0 {
		last := &b.runs[count-1]
		if last.Name == name && last.Offset+last.Bytes == offset {
			last.Bytes += size
			return
		}
	}
	if len(b.runs) < maxBadRuns {
		b.runs = append(b.runs, badRun{name, offset, size})
	}
}
