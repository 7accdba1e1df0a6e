"""Files that ship with Lightship (theme tokens, default rules, examples), found with `importlib.resources`."""
