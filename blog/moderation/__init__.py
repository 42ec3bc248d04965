"""The desk: what waits and why, the decisions, and the people who take them."""

from blog.moderation import cleaning, comment, decisions, queue, recheck, rulebook
from blog.moderation.desk import bp

# Importing the views gives them to the blueprint.
VIEWS = (cleaning, comment, decisions, queue, recheck, rulebook)

__all__ = ["bp"]
