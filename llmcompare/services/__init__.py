"""Use cases, the same for pages and command line."""
