"""Garbage, bombs and crowds: what hostile senders do to a collector, and that others do not notice."""
