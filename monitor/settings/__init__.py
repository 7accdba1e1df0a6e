"""Every setting of the collector, declared once; the configuration file, the environment and the reference page come from it."""
