"""The command line, and what starts and supervises the rest."""

__version__ = "0.1.0"
