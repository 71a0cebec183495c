package main

// drop deletes the fill files and so gives the handset its space back.
func drop(request dropRequest, events *eventWriter) error {
	where, err := openDirectory(request.directory)
	if err != nil {
		return err
	}
	defer where.close()
	removed, err := where.removeFillFiles()
	if err != nil {
		return err
	}
	left, err := where.space()
	if err != nil {
		return err
	}
	events.emit(dropDoneEvent{"done", removed, left.freeBytes})
	return nil
}
