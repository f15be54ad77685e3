"""The door: WSGI composition, DAV wire format, guests' adapters, HTTP server, command line."""
