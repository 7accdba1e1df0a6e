"""What telemetry is: series, kinds, batches of samples, matchers over tags."""
