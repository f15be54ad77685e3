"""Calendar and contact workloads over large collections, measured side by side with other servers."""
