"""Access to Redis: connection, scripts, key names, clock and the embedded server."""
