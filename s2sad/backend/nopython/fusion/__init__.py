"""Statements on whole arrays become loops over their elements.

`views` says where the elements of a view are in its base, `extents` how long an axis is and which
are equal, `elements` what one element of an expression is, `loops` writes the loops, and `fuse`
decides which statements become one.
"""
