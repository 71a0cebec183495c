"""From all that a chip lists to what it was found to be."""
