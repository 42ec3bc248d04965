"""Reciprocal: a blog that asks its readers something back."""

__version__ = "1.0.0"
