"""Grafana as code: dashboards, data source, alert rules, contact points; compared with what stands there, and applied."""
