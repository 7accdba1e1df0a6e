"""What exports go to is away for minutes, and the collector is killed meanwhile: all of it arrives afterwards, in order."""
