"""Tests of the StatsD receiver."""
