"""Prometheus scrapes: the exposition formats, the targets and their health."""
