package main

import (
	"bytes"
	"encoding/json"
	"io"
	"unicode/utf8"
)

// fields is a JSON object taken apart: each key exactly once, spelt exactly so.
// The library's own struct decoding takes keys in any case, keeps the last of
// two equal keys and reads null as zero, all too forgiving for a destructive command.
type fields map[string]json.RawMessage

func splitObject(text []byte) (fields, error) {
	if !utf8.Valid(text) {
		return nil, usage("the request is not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if opening, err := decoder.Token(); err != nil || opening != json.Delim('{') {
		return nil, usage("the request is not a JSON object")
	}
	found := fields{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, usage("the request is not JSON: %v", err)
		}
		key, isText := token.(string)
		if !isText {
			return nil, usage("the request is not a JSON object")
		}
		if _, twice := found[key]; twice {
			return nil, usage("key %q is given twice", key)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, usage("the value of %q is not JSON: %v", key, err)
		}
		found[key] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, usage("the request is not JSON: %v", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, usage("the request line holds more than one JSON object")
	}
	return found, nil
}

// take reads one key's value and removes the key; a missing key or null is refused.
func take[T any](from fields, key string) (T, error) {
	var value T
	raw, present := from[key]
	if !present {
		return value, usage("key %q is missing", key)
	}
	delete(from, key)
	if bytes.Equal(raw, []byte("null")) {
		return value, usage("key %q must not be null", key)
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return value, usage("key %q: %v", key, err)
	}
	return value, nil
}

// takeOr is take for a key that may be left out.
func takeOr[T any](from fields, key string, otherwise T) (T, error) {
	if _, present := from[key]; !present {
		return otherwise, nil
	}
	return take[T](from, key)
}

// refuseRest refuses every key that nobody took.
func (f fields) refuseRest() error {
	for key := range f {
		return usage("unknown key %q", key)
	}
	return nil
}
