"""Local screening rules: pure functions of a comment and what is known about its author.

All of them run, never just the first, and every reason is stored. This module also holds the words for
every reason code that a comment or an event can carry, for the moderator and for the author.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from blog.config import Settings
from blog.models import Comment

LINK = re.compile(r"https?://|\bwww\.[^\s.]|\]\([^)\s]{2,}", re.IGNORECASE)


@dataclass(frozen=True)
class Past:
    """What the store knows that a rule may need."""

    # The same name and e-mail were approved together before.
    known: bool = False
    # How many other comments on the site carry this very text.
    repeated: int = 0
    # What the owner's word lists found in it.
    hold_words: tuple[str, ...] = ()
    block_words: tuple[str, ...] = ()
    # What was typed into the field that people do not see.
    honeypot: str = ""

    @property
    def matched(self) -> tuple[str, ...]:
        """What either list found, each once."""
        return tuple(dict.fromkeys([*self.block_words, *self.hold_words]))


@dataclass(frozen=True)
class Reason:
    """A code, and its words: for the moderator, for the author; the setting behind it, if any."""

    code: str
    moderator: str
    author: str
    setting: str = ""


@dataclass(frozen=True)
class Rule(Reason):
    """A reason with the test that gives it; `blocks` sends straight to spam, otherwise it holds."""

    applies: Callable[[Comment, Past, Settings], bool] = field(default=lambda comment, past, settings: False)
    blocks: bool = False


def count_links(comment: Comment) -> int:
    """Links in the text; an address and the Markdown around it count once."""
    # "[text](https://…)" matches twice, as Markdown and as address.
    text = re.sub(r"\]\((?=https?://|www\.)", " ", comment.body, flags=re.IGNORECASE)
    return sum(1 for _ in LINK.finditer(text))


RULES = (
    Rule(
        "links",
        "It has as many links as are held, or more.",
        "It contains several links, so a person looks at it first.",
        "LINKS_HELD",
        applies=lambda comment, past, settings: count_links(comment) >= settings.links_held,
    ),
    Rule(
        "first",
        "This name and e-mail were never approved together before.",
        "It is your first comment here under this name and e-mail; a person reads those first.",
        "MODERATION",
        applies=lambda comment, past, settings: settings.moderation == "first" and not past.known,
    ),
    Rule(
        "all-held",
        "Every comment waits for a person here.",
        "On this blog a person reads every comment before it appears.",
        "MODERATION",
        applies=lambda comment, past, settings: settings.moderation == "all",
    ),
    Rule(
        "hold-words",
        "It contains something from the hold list.",
        "It contains a word that this blog looks at before publishing.",
        "word lists",
        applies=lambda comment, past, settings: bool(past.hold_words),
    ),
    Rule(
        "block-words",
        "It contains something from the block list.",
        "It contains a word that this blog does not publish.",
        "word lists",
        applies=lambda comment, past, settings: bool(past.block_words),
        blocks=True,
    ),
    Rule(
        "honeypot",
        "A field that people do not see was filled in.",
        "A hidden field of the form was filled in, as programs do; a person looks at it.",
        applies=lambda comment, past, settings: bool(past.honeypot),
    ),
    Rule(
        "repeated",
        "The same text stands in another comment on this site.",
        "The same text was posted here before, so a person looks at it.",
        applies=lambda comment, past, settings: past.repeated > 0,
    ),
)

OTHER_REASONS = (
    Reason(
        "no-key",
        "Nobody screened this: no Akismet key is set.",
        "This blog reads every comment itself before it appears.",
        "AKISMET_KEY",
    ),
    Reason(
        "unchecked",
        "Akismet could not be asked; it is asked again by itself.",
        "The spam filter could not be reached. Your comment is safe, and is checked again soon.",
    ),
    Reason(
        "provisional",
        "Akismet says ham for now and wants to be asked again.",
        "The spam filter is still looking at it; it is asked again soon.",
    ),
    Reason(
        "no-akismet",
        "The author asked for a person instead of Akismet.",
        "You asked for a person to read it instead of the spam filter.",
    ),
    Reason(
        "private",
        "It is for the author of this blog only.",
        "You wrote it for the author of this blog only; it is never published.",
    ),
    Reason("akismet-spam", "Akismet calls it spam.", "The spam filter, Akismet, took it for spam."),
    Reason(
        "akismet-discard",
        "Akismet calls it blatant spam, which it advises to discard.",
        "The spam filter, Akismet, took it for spam.",
    ),
    Reason(
        "hold-policy",
        "The rules in force when it came hold it.",
        "A person looks at it before it appears.",
    ),
)

REJECTIONS = (
    Reason("off-topic", "Off topic", "It is not about this article."),
    Reason("unkind", "Unkind", "It is unkind to somebody."),
    Reason("advertising", "Advertising", "It advertises something."),
    Reason("personal-data", "Personal data", "It contains personal data, of yourself or of somebody else."),
    Reason("duplicate", "Duplicate", "It says again what another comment of yours says."),
    Reason("other", "Other (say what)", "For the reason given beside it."),
)

REASONS = {reason.code: reason for reason in (*RULES, *OTHER_REASONS, *REJECTIONS)}

# Reasons that speak of the screening itself and fall away when Akismet has answered.
PASSING = frozenset({"unchecked", "no-key", "provisional"})


def apply(comment: Comment, past: Past, settings: Settings) -> list[Rule]:
    """All rules that apply to the comment, in the order of the table."""
    return [rule for rule in RULES if rule.applies(comment, past, settings)]
