"""Markdown to HTML: articles, which are trusted, and comments, which are not."""
