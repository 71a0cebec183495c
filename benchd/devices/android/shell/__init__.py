"""Commands on a handset, their packets, and their output made fit to be kept."""
