"""The wire format: headers, XML and status lines. Values in, values out, no I/O."""
