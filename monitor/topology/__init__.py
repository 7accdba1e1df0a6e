"""Who speaks to whom: the service map from spans, and how it is laid out."""
