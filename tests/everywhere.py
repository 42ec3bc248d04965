"""Every kind of page that somebody without an account can come to, on a blog with something of everything."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from flask import Flask

from blog.config import bundled
from tests.akismet_standin import HAM, SPAM, AkismetStandIn
from tests.conftest import Make
from tests.mailing import run
from tests.people import Reader
from tests.smtp_standin import MailServer

ARTICLE = "/posts/reciprocal-relationships/"
PICTURES = "/posts/the-second-chair/"
# What answers a GET without being a page: files, feeds, redirects.
NO_PAGES = {
    "assets.static", "erasure.export", "feeds.atom", "feeds.comments_atom", "feeds.comments_json",
    "feeds.json_feed", "feeds.robots", "feeds.sitemap", "feeds.tag_atom", "feeds.tag_json", "health.healthz",
    "pages.asset", "pages.page_asset", "pages.permalink", "theme.file",
}  # fmt: skip
MORE = {
    "over.md": "---\ntitle: Over\ndate: 2026-01-01\nexpires: 2026-01-02\n---\nWas here.\n",
    "closed.md": "---\ntitle: Closed\ndate: 2026-01-01\ncomments: closed\nreflection: You?\n---\nWords.\n",
    "brief.md": '---\ntitle: Ein Brief\ndate: 2026-01-03\nlanguage: de\n---\nEr sagte "ja".\n',
    "letter.md": "---\ntitle: رسالة\ndate: 2026-01-04\nlanguage: ar\nauthor: Noor\n---\nكتبت هذه الرسالة.\n",
}


def furnished(make: Make, folder: Path, mailserver: MailServer) -> Flask:
    """The sample articles and a few more, the conversation of `demo`, and mail; twenty threads a page."""
    content = folder / "articles"
    shutil.copytree(bundled("content"), content)
    for name, text in MORE.items():
        (content / name).write_text(text)
    mail = {"smtp_url": mailserver.address, "mail_from": "The blog <blog@blog.example>"}
    app = make(content_dir=content, comments_per_page=20, care_note="Talk to *somebody*.", **mail)
    assert app.test_cli_runner().invoke(args=["demo"]).exit_code == 0
    return app


def documents(app: Flask, akismet: AkismetStandIn, mailserver: MailServer) -> dict[str, int]:
    """The addresses of all kinds of pages, and the status of each."""
    found = dict.fromkeys((ARTICLE, PICTURES, f"{PICTURES}?page=2", f"{ARTICLE}replies/1"), 200)
    found |= dict.fromkeys(("/", "/archive/", "/tags/relationships/", "/about/", "/privacy"), 200)
    found |= dict.fromkeys(("/moderation-report", "/login"), 200)
    found |= dict.fromkeys(("/posts/closed/", "/posts/brief/", "/posts/letter/"), 200)
    found |= {"/posts/thirty-days-of-counting/": 200, "/nowhere": 404, "/posts/over/": 410}
    reader = Reader(app)
    for number in range(22):
        words = " ".join(f"Sentence {number * 40 + word} says something else." for word in range(12))
        reader.stored(slug="the-second-chair", author=f"Somebody {number}", body=words)
    found |= dict.fromkeys(receipts(reader, akismet), 200)
    run(app)
    for mail in mailserver.mails:
        found |= dict.fromkeys(re.findall(r"/mail/(?:confirm|unsubscribe)/[^>\s]+", mail.words), 200)
    return found


def receipts(reader: Reader, akismet: AkismetStandIn) -> list[str]:
    """A receipt in every state, and what leads on from it."""
    here = {"slug": "the-second-chair"}
    published = reader.stored(**here, body="> One\n\n- two\n\n`three` <b>")
    assert reader.post(f"{published}/follow").status == 303
    held, private = reader.stored(**here, no_akismet="y"), reader.stored(**here, audience="private")
    withdrawn, blanked, nameless = (reader.stored(**here) for _ in range(3))
    reader.post(f"{withdrawn}/withdrawal")
    reader.post(f"{blanked}/erasure", {"text": "blank"})
    reader.post(f"{nameless}/erasure", {"text": "keep"})
    akismet.answer_with(SPAM)
    spam, appealed = reader.stored(**here), reader.stored(**here)
    reader.post(f"{appealed}/appeal", {"words": "It is about my chair."})
    akismet.answer_with("error")
    unasked = reader.stored(**here)
    akismet.answer_with(HAM)
    found = [published, held, private, withdrawn, blanked, nameless, spam, appealed, unasked]
    return [*found, f"{published}/erasure", f"{blanked}/erasure"]
