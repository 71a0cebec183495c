"""The dashboards for Grafana, as data; `scripts/dashboards` writes them into configs/grafana."""
