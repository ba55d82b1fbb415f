"""Redis storage of corrections and recoveries."""
