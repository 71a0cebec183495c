"""Benchmarks: figures beside those of other ways of doing the same, all taken in one run."""
