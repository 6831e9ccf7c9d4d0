"""Benchmarks: what Tocsin costs, beside Prometheus' Alertmanager in the same run. `python -m bench --help`."""
