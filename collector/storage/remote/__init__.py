"""The history in somebody else's store: written by remote write, asked in PromQL."""
