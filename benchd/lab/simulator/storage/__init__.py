"""A virtual handset's storage: a FUSE file system over a flash chip that can lie."""
