"""Redis as a technology: connection, scripts, keys, clock; nothing of any domain."""
