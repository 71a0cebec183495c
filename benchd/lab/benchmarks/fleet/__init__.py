"""The fleet's centre at saturation, under a fleet's load, and among many jobs that look alike."""
