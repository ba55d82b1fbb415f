"""HTTP: the server that stands between sockets and the application."""
