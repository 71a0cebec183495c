"""One file per question to a handset; an answer of unknown form is refused, never guessed at."""
