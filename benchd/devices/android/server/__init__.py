"""benchd's own adb server, and the way to the handsets that it knows."""
