"""What leaves the rack for other systems: hooks, traces, anchors."""
