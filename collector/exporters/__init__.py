"""What the collector tells others about itself and its series."""
