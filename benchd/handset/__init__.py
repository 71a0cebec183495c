"""Handsets over adb: benchd's own server, shell streams, property parsers and the fill driver."""
