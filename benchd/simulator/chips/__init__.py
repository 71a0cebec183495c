"""Virtual FeliCa chips, the readers that they lie on, and the pcscd's behind those."""
