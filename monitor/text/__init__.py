"""Reading text that people write, whatever it is about."""
