"""The rack: which port is which slot, what sits in it, and one task that looks after each."""
