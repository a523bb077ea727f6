"""What `python -m s2sad` can do."""
