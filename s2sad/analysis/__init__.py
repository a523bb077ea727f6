"""Analyses: facts about a function, in dicts and sets keyed by value."""
