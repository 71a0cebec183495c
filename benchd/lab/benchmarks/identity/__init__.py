"""Which handset it is, by a dealer's visits: what the real stages ask, miss and hold."""
