"""The embedded history: a journal of what is fresh, compressed chunks of what is older, and their coarser tiers."""
