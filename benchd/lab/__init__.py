"""The virtual rack, the demo and the benchmarks on it; a production install doesn't carry it."""
