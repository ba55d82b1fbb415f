"""How long a test waits for what has to come."""

PATIENCE_S = 120.0
"""Many times what the slowest takes on an idle machine, so that only a fault lasts so long."""

TRIP_S = 20
"""How long a Redis may take: a busy machine is no Redis that hangs."""
