"""Loads the package before its modules are collected for their doctests.

A module that pytest finds first is loaded once more by its package, and then what ``s2sad`` knows
as `checkpointed`, say, is not what the frontend knows by that name.
"""

import s2sad.rules
import s2sad.tape
import s2sad.tools  # noqa: F401
