"""The overwrite of a handset: its own program, or the host's stream over the cable."""
