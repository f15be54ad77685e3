"""The one place where a failure becomes a status and a ``DAV:error`` body."""
