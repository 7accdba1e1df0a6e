"""The stream between a collector and its clients: messages and codec, without a socket."""
