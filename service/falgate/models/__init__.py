"""Models: their declarations, their arguments and their prices."""
