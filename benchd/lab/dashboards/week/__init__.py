"""A week of two racks that never was: drawn by chance from a seed, told by benchd's own metrics."""
