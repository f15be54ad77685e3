"""Below the HTTP server: sockets that wait in one thread, workers, request bodies."""
