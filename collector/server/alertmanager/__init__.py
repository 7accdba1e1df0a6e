"""Alertmanager's HTTP API, version 2, over this collector's alerts, silences and routes."""
