package main

// ballast is what the tail writes first and gives up again once the medium is full: its blocks
// hold the keystream then, and are where the logs go on when their open segments end.
type ballast []filledFile

func (b ballast) holds(name string) bool {
	for _, file := range b {
		if file.Name == name {
			return true
		}
	}
	return false
}

// nodes is how many blocks of each log of inodes its room is given to; most is for data.
func (b ballast) nodes() int {
	const share = 8
	var sum int64
	for _, file := range b {
		sum += file.Bytes
	}
	return int(min(sum/blockBytes/share, segmentBlocks))
}

// writeBallast takes so much of the headroom, as far as there is room for it.
func (f *filler) writeBallast() error {
	most := min(f.layout.ballast, f.headroom/4*3) &^ (blockBytes - 1)
	for left := most; left > 0 && f.room > 0; {
		index, err := f.takeIndex()
		if err != nil {
			return err
		}
		name, offset := fileName{index, true, warmEnd}, int64(index)*f.fileBytes
		file, err := f.medium.create(name.String())
		if isFull(err) {
			f.nextIndex--
			return nil
		} else if err != nil {
			return storageFault("create "+name.String(), err)
		}
		written, err := f.write(file, offset, 0, min(left, f.fileBytes, f.room))
		if err != nil {
			return storageFault("write "+name.String(), err)
		}
		if err := f.finish(file, name, offset, written); err != nil || written == 0 {
			return err
		}
		f.ballast = append(f.ballast, filledFile{name.String(), offset, written})
		left -= written
	}
	return nil
}

// turnLogs gives each log so much to write that the segment it has open ends: what is behind its
// last block was never written, and no other log gets there.
func (f *filler) turnLogs() error {
	if len(f.ballast) == 0 || f.room == 0 {
		return nil
	}
	if err := f.dropBallast(); err != nil {
		return err
	}
	nodes := f.ballast.nodes()
	if err := f.makeDirectories(f.directories + nodes); err != nil {
		return err
	}
	if err := f.makeSmallFiles(f.smallFiles + nodes); err != nil {
		return err
	}
	return f.tail()
}

// dropBallast makes room again. What the host was told of it is owed: it never hears less.
func (f *filler) dropBallast() error {
	kept := f.files[:0]
	for _, file := range f.files {
		if !f.ballast.holds(file.Name) {
			kept = append(kept, file)
			continue
		}
		if err := f.medium.remove(file.Name); err != nil {
			return storageFault("delete "+file.Name, err)
		}
		f.room += file.Bytes
		f.owed += file.Bytes
	}
	f.files = kept
	return f.medium.commit()
}

// filledBytes is what all listed files hold.
func (f *filler) filledBytes() int64 {
	var sum int64
	for _, file := range f.files {
		sum += file.Bytes
	}
	return sum
}
