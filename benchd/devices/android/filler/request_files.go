package main

import "encoding/json"

// stretches are what is to be read of one file.
func (r *checkRequest) stretches(index int) []stretch {
	if r.ranges == nil {
		return []stretch{{0, r.files[index].Bytes}}
	}
	return r.ranges[index]
}

func (r *checkRequest) orderedBytes() int64 {
	var sum int64
	for index := range r.files {
		for _, part := range r.stretches(index) {
			sum += part.bytes
		}
	}
	return sum
}

// takeRanges reads the parts that are to be read: each [number of the file in the list,
// offset, bytes], in order, apart from each other, on whole blocks.
func takeRanges(from fields, files []filledFile) ([][]stretch, error) {
	if _, present := from["ranges"]; !present {
		return nil, nil
	}
	listed, err := take[[][]int64](from, "ranges")
	if err != nil {
		return nil, err
	}
	if len(listed) == 0 {
		return nil, usage("ranges is empty: there is nothing to prove")
	}
	ranges := make([][]stretch, len(files))
	lastFile, lastEnd := int64(0), int64(0)
	for _, numbers := range listed {
		if len(numbers) != 3 || numbers[0] < lastFile || numbers[0] >= int64(len(files)) {
			return nil, usage("ranges must be [file, offset, bytes] in the order of the files")
		}
		if numbers[0] > lastFile {
			lastFile, lastEnd = numbers[0], 0
		}
		offset, size, fileEnd := numbers[1], numbers[2], files[lastFile].Bytes
		// A difference, since a sum might wrap around.
		if offset < lastEnd || offset > fileEnd || size < 1 || size > fileEnd-offset || offset%blockBytes != 0 {
			return nil, usage("range %d of file %d is out of order or out of the file", offset, lastFile)
		}
		lastEnd = offset + size
		if size%blockBytes != 0 && lastEnd != fileEnd {
			return nil, usage("range %d of file %d ends inside a block", offset, lastFile)
		}
		ranges[lastFile] = append(ranges[lastFile], stretch{offset, size})
	}
	return ranges, nil
}

// takeFiles refuses an empty list and a file listed twice: either could make
// "everything listed is proven" true without proof.
func takeFiles(from fields, fileBytes int64) ([]filledFile, error) {
	listed, err := take[[]json.RawMessage](from, "files")
	if err != nil {
		return nil, err
	}
	if len(listed) == 0 {
		return nil, usage("files is empty: there is nothing to prove")
	}
	files := make([]filledFile, 0, len(listed))
	seen := make(map[int64]bool, len(listed))
	for _, text := range listed {
		file, err := parseFile(text, fileBytes)
		if err != nil {
			return nil, err
		}
		if seen[file.StreamOffset] {
			return nil, usage("file %q is listed twice", file.Name)
		}
		seen[file.StreamOffset] = true
		files = append(files, file)
	}
	return files, nil
}

func parseFile(text []byte, fileBytes int64) (filledFile, error) {
	var file filledFile
	from, err := splitObject(text)
	if err != nil {
		return file, err
	}
	if file.Name, err = take[string](from, "name"); err != nil {
		return file, err
	}
	if file.StreamOffset, err = take[int64](from, "stream_offset"); err != nil {
		return file, err
	}
	if file.Bytes, err = take[int64](from, "bytes"); err != nil {
		return file, err
	}
	index, isFillName := fillIndex(file.Name)
	if !isFillName {
		return file, usage("%q is not the name of a fill file", file.Name)
	}
	if file.StreamOffset != int64(index)*fileBytes {
		return file, usage("file %q must have stream_offset %d", file.Name, int64(index)*fileBytes)
	}
	if file.Bytes < 1 || file.Bytes > fileBytes {
		return file, usage("file %q must have between 1 and %d bytes", file.Name, fileBytes)
	}
	return file, from.refuseRest()
}
