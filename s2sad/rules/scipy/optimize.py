"""Rules for scipy."""
