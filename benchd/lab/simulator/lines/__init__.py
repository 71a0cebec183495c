"""JSON lines: the children that speak them, and sockets that answer them."""
