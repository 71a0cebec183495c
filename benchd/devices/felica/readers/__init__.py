"""Contactless readers over PC/SC: which there are, whose they are, one thread each."""
