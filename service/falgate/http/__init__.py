"""HTTP: the server at the socket, the edge behind it, and the routes of fal's API."""
