"""What Akismet's account alerts mean and what the owner does about them.

Codes and their causes: Akismet's own list for developers, and the WordPress plugin for the codes of usage.
"""

from __future__ import annotations

from dataclasses import dataclass

ACCOUNT = "Sign in at akismet.com/account"


@dataclass(frozen=True, slots=True)
class Alert:
    """One code: what it means, the owner's next step, and whether screening goes on regardless."""

    code: int
    meaning: str
    next_step: str
    warns_only: bool = False


# Code, meaning, next step.
_STOPS = (
    (10001, "The key belongs to a Yahoo account that has expired.", f"{ACCOUNT} and get a new key."),
    (10003, "A Personal plan may not be used for this site.", f"{ACCOUNT} and change the plan."),
    (10005, "The key is in use by somebody else.", f"{ACCOUNT}, get a new key and set it here."),
    (10006, "The key is suspended for improper use.", "Write to Akismet's support."),
    (10009, "The key is suspended for overuse.", f"{ACCOUNT} and change the plan."),
    (10010, "The key is suspended for inappropriate use.", "Write to Akismet's support."),
    (10011, "The plan has to be upgraded before Akismet answers again.", f"{ACCOUNT} and upgrade."),
    (10402, "The key is suspended because a payment is missing.", f"{ACCOUNT} and settle the bill."),
    (10403, "The owner of the key has revoked it for this site.", "Ask the owner, or set another."),
    (10404, "This site is not on the key's list of sites.", f"{ACCOUNT} and add this site."),
    (10508, "The limit was passed for a third month; checks are refused.", f"{ACCOUNT} and upgrade."),
    (10516, "The limit has been passed for four months or more.", f"{ACCOUNT} and upgrade."),
    (30001, "This site looks commercial, and the plan is not.", f"{ACCOUNT} and change the plan."),
)
_WARNINGS = (
    (10501, "The plan's limit was passed for a first month.", f"{ACCOUNT} and look at the use."),
    (10502, "The plan's limit was passed for a second month.", f"{ACCOUNT} and upgrade in time."),
    (10504, "The plan's limit is close in a third month.", f"{ACCOUNT} and upgrade now."),
)
ALERTS = {row[0]: Alert(*row) for row in _STOPS} | {row[0]: Alert(*row, warns_only=True) for row in _WARNINGS}

# Why a comment is unchecked (Answer.error), in the words of the desk.
FAILURES = {
    "account": "Akismet has a problem with the account and its verdict cannot be trusted.",
    "deadline": "Akismet began to answer but did not finish in time.",
    "garbage": "Akismet answered something that is no verdict.",
    "incomplete": "The visitor's address is no longer stored, so Akismet cannot be asked.",
    "internal": "The question could not be put; the server's log names the fault.",
    "key-invalid": "Akismet says that the key, or this site's address, is not valid.",
    "timeout": "Akismet did not answer in time.",
    "unreachable": "Akismet could not be reached, or the connection broke.",
}


def alert(code: int, message: str = "") -> Alert:
    """What to tell the owner about a code; for an unknown one Akismet's own message."""
    known = ALERTS.get(code)
    return known or Alert(code, message or "Akismet has something to say about the account.", f"{ACCOUNT}.")


def failure(error: str) -> str:
    """Why a comment is unchecked, in words."""
    if error.startswith("status-"):
        return f"Akismet answered with the error status {error.removeprefix('status-')}."
    return FAILURES.get(error, "Akismet gave no verdict.")
