"""Every word that an operator reads, in Japanese and English."""
