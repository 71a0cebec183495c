package main

import "syscall"

// evictFiles empties the page cache of fill files, for a host whose own way of reading can't.
func evictFiles(request evictRequest, events *eventWriter) error {
	where, err := openDirectory(request.directory)
	if err != nil {
		return err
	}
	defer where.close()
	for _, name := range request.names {
		if err := where.evict(name); err != nil {
			return err
		}
	}
	events.emit(evictDoneEvent{Event: "done", FilesEvicted: len(request.names), PagesLeft: 0})
	return nil
}

func (d *directory) evict(name string) error {
	fd, err := d.openExisting(name)
	if err != nil {
		return storageFault("open "+name, err)
	}
	defer func() { _ = syscall.Close(fd) }()
	var status syscall.Stat_t
	if err := syscall.Fstat(fd, &status); err != nil {
		return storageFault("look at "+name, err)
	}
	return evict(fd, name, status.Size)
}
