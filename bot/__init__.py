"""The edge: settings, assembly, command line, chat platforms, delivery.

A new chat platform is one file here with `from_settings(settings, clock)` and one line below.
"""

PLATFORMS = ("telegram",)
"""Modules of this package that serve `run`; each is on when its settings are there."""
