"""Event-time sliding windows, quantile sketches, unique counts and recent history, as columns."""
