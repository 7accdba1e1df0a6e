"""The domain of Lightship: pure, deterministic, numpy and msgspec only. No clock, no socket, no file."""
