"""The same samples and the same queries, put to Debian's Prometheus and to ours: the same answers, or the reason why not."""
