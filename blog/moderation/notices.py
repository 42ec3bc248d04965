"""What whoever is at the desk has to know about the screening, each with what to do."""

from __future__ import annotations

from blog import akismet_state
from blog.alerts import alert
from blog.config import settings


def notices() -> list[str]:
    """The lines that stand above the queue; none while everything works."""
    here, state, lines = settings(), akismet_state.current(), []
    if not here.screens:
        lines.append("No Akismet key is set, so every comment waits here. Set BLOG_AKISMET_KEY and restart.")
    elif state.key_state == "invalid":
        lines.append(
            "Akismet does not accept the key for this address. Check BLOG_AKISMET_KEY and BLOG_SITE_URL."
        )
    if here.screens and state.broken:
        lines.append("Akismet does not answer. New comments wait and are asked about again by themselves.")
    if state.alert_code is not None or state.alert_message:
        told = alert(state.alert_code or 0, state.alert_message)
        goes_on = " Screening goes on meanwhile." if told.warns_only else ""
        lines.append(f"Akismet says: {told.meaning} {told.next_step}{goes_on}")
    return lines
