"""What there is to read, in figures with limits: `scripts/house`."""
