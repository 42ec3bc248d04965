"""The desk: what waits and why, the decisions, and the people who take them."""

from blog.moderation import (
    account,
    cleaning,
    comment,
    decisions,
    journal,
    queue,
    recheck,
    reply,
    rulebook,
    staff,
)
from blog.moderation.desk import bp

# Importing the views gives them to the blueprint.
VIEWS = (account, cleaning, comment, decisions, journal, queue, recheck, reply, rulebook, staff)

__all__ = ["bp"]
