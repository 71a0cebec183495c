module benchd/devices/android/filler

go 1.24
