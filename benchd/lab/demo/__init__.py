"""The demo: the daemon on a virtual rack, with operators who answer through the public API."""
