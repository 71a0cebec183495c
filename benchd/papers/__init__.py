"""Papers that leave the house: set in type, signed, and read again by anybody."""
