"""The guests: one adapter module each for WsgiDAV (``/files/``) and Radicale (``/dav/``)."""
