package main

// makeDirectories takes blocks of the log that directories have for themselves.
func (f *filler) makeDirectories(most int) error {
	for f.directories < most {
		err := f.medium.makeDirectory(directoryName(f.directories))
		if isFull(err) {
			return nil
		}
		if err != nil {
			return storageFault("make a directory", err)
		}
		f.directories++
	}
	return nil
}

// makeSmallFiles makes small files until there are so many, or no room for one more. They
// reach what only inodes get to; a file system may keep their content where it can't be read
// past a cache, so they are compared but never counted as proven.
func (f *filler) makeSmallFiles(most int) error {
	before := f.smallFiles
	for f.smallFiles < most {
		waitIfHostGone()
		made, err := f.makeSmallFile(f.smallFiles)
		if err != nil {
			return err
		}
		if !made {
			break
		}
		f.smallFiles++
	}
	if f.smallFiles == before {
		return nil
	}
	return f.medium.commit()
}

func (f *filler) makeSmallFile(index int) (bool, error) {
	name := smallName(index)
	file, err := f.medium.create(name)
	if isFull(err) {
		return false, nil
	}
	if err != nil {
		return false, storageFault("create "+name, err)
	}
	data := make([]byte, smallBytes)
	f.ahead.stream.fillAt(data, smallOffset(index))
	count, err := file.writeAt(data, 0)
	if err != nil && !isFull(err) {
		return false, storageFault("write "+name, err)
	}
	if count < smallBytes {
		if err := file.finish(int64(count)); err != nil {
			return false, err
		}
		return false, f.medium.remove(name)
	}
	return true, file.finish(smallBytes)
}

// smallOffset is where in the stream a small file has its bytes.
func smallOffset(index int) int64 { return smallStreamOffset + int64(index)*blockBytes }
