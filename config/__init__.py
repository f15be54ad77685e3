"""What the operator wrote: typed settings with their defaults, units and allowed ranges."""
