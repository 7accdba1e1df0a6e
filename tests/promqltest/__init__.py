"""Runs tests written in Prometheus' own language for PromQL: `python -m tests.promqltest DIR`."""
