"""A simulated shop: it sends what a dozen services would, over the wire, so that there is something to look at."""
