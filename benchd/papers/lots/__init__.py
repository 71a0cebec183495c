"""The papers of many handsets at once: a signed list, a summary, and every certificate as PDF."""
