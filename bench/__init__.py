"""Benchmarks: what Tocsin costs, beside Prometheus' Alertmanager. `python -m bench --help`."""
