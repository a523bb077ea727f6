"""From value-semantic IR to readable Python text, and from text to functions."""
