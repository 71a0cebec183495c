"""The daemon: its parts put together, and its life as a service."""
