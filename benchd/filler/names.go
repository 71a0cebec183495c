package main

import "fmt"

const (
	namePrefix = "fill-"
	nameSuffix = ".dat"
	nameDigits = 6
	maxFiles   = 1_000_000
	lockName   = "lock"
)

// fillName is the name of the fill file with this index.
func fillName(index int) string {
	return fmt.Sprintf("%s%0*d%s", namePrefix, nameDigits, index, nameSuffix)
}

// fillIndex reads the index out of a fill file's name; other names are none of this program's business.
func fillIndex(name string) (int, bool) {
	if len(name) != len(namePrefix)+nameDigits+len(nameSuffix) {
		return 0, false
	}
	index := 0
	for _, digit := range []byte(name[len(namePrefix) : len(namePrefix)+nameDigits]) {
		if digit < '0' || digit > '9' {
			return 0, false
		}
		index = index*10 + int(digit-'0')
	}
	return index, fillName(index) == name
}
