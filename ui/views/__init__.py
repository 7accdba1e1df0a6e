"""Toolkit-neutral view models: what each page says, computed from the mirror; and the one table of actions."""
