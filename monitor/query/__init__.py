"""PromQL: reading it, evaluating it column-wise over any history, and saying what is wrong with it."""
