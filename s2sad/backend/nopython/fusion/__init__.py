"""Statements on whole arrays become loops over their elements.

`views` says where the elements of a view are in its base, `extents` how long an axis is and which
are equal, `elements` what one element of an expression is, `writing` the body of a loop, `loops`
the loops, `rings` those that go round, and `fuse` decides which statements become one. `ties`
brings shares of cotangents to a form that loops can have, `costs` knows what had better be
computed again than kept, `unread` leaves out what nobody reads.
"""
