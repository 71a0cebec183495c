"""A storm of visitors: the whole daemon with its web in virtual time, by the seed.

Lab only. See docs/storm.md.
"""
