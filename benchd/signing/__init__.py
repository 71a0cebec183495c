"""The rack's key, its public half, and the one form of what is hashed or signed."""
