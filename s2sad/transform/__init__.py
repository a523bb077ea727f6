"""Transforms: IR in, IR out, value semantics throughout."""
