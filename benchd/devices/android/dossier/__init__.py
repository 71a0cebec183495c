"""What handsets answered, kept in folders: written masked, read by the code that inspects."""
