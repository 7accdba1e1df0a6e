"""Unit tests of Prometheus rules, as `promtool test rules` takes them. Source: prometheus.io, unit_testing_rules."""
