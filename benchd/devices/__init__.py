"""What stands on a slot or beside it: a folder for each kind of device."""
