"""Administration: one service behind both the REST API and the command line."""
