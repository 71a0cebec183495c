"""The steps that recipes are made of, one file each; each describes itself."""
