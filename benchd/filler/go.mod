module benchd/filler

go 1.24
