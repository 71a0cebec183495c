"""The API over HTTP: a subscriber of the board, and the way in for people's answers."""
