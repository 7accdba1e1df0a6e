"""How the collector is reached: the HTTP side and the WebSocket stream."""
