"""What is said to a chip and what it answers, frame by frame; reading commands only."""
