"""Clients as programs of their own, which know HTTP and sockets and nothing of benchd."""
