"""Kills the real server again and again while people post and decide, and compares what was answered with
what is there.

    python -m tests.crash --kills 1000 --store postgresql --tally crash.json

It goes round by round, each with a new store that is compared at its end. With --tally, what was found is
added to that file after every round, and the same call goes on from there after it was interrupted.

A post that was answered with 303 must be stored once and whole. One that got no answer is sent again, as a
browser's reload does, and must still be stored once. A decision that was answered must stand.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from lxml import html
from sqlalchemy import NullPool, create_engine, text

from tests.postgres import postgres_server
from tests.serving import TLS, Serving

SLUG = "open-letter"
ARTICLE = "---\ntitle: An open letter\ndate: 2026-01-02\nreflection: What would you answer?\n---\n\nWords.\n"
KILLS = (signal.SIGKILL, signal.SIGTERM)


@dataclass
class Account:
    """What was sent, what was answered, and what happened on the way."""

    answered: dict[str, str] = field(default_factory=dict)  # the text of a post, and its receipt
    decided: set[int] = field(default_factory=set)
    unanswered: int = 0  # requests that ended without an answer, at any kill
    refused: Counter[int] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)


class Crowd:
    """People who post and a moderator who decides, whatever becomes of the server."""

    def __init__(self, server: Serving, account: Account) -> None:
        self.server, self.account = server, account
        self.over = threading.Event()
        self.numbers = itertools.count(1)
        self.password = server.password()
        self.threads = [threading.Thread(target=self.post) for _ in range(6)]
        self.threads.append(threading.Thread(target=self.decide))
        for thread in self.threads:
            thread.start()

    def send(self, client: httpx.Client, method: str, path: str, data: object = None) -> httpx.Response:
        """Ask until there is an answer, sending the same again."""
        while True:
            try:
                answer = client.request(method, path, data=data)  # type: ignore[arg-type]
            except httpx.TransportError as error:
                # While it is down nobody even gets as far as asking.
                self.account.unanswered += not isinstance(error, httpx.ConnectError)
                time.sleep(0.02)
                continue
            if answer.status_code < 500:
                return answer
            self.account.refused[answer.status_code] += 1
            time.sleep(0.02)

    def post(self) -> None:
        """Post one comment after another."""
        with httpx.Client(base_url=self.server.url, timeout=30, verify=TLS) as client:
            page = self.send(client, "GET", f"/posts/{SLUG}/")
            fields = dict(html.document_fromstring(page.text).cssselect("#comment-form")[0].fields)
            while not self.over.is_set():
                number = next(self.numbers)
                body = f"Answer {number}: " + "words " * random.randint(1, 200) + f"end {number}."
                typed = {"author": f"Reader {number}", "email": f"r{number}@example.org", "body": body}
                data = {name: value or "" for name, value in {**fields, **typed}.items()}
                data.pop("preview", None)
                answer = self.send(client, "POST", f"/posts/{SLUG}/comments", data)
                if answer.status_code == 303:
                    self.account.answered[body] = answer.headers["Location"]
                else:
                    self.account.refused[answer.status_code] += 1

    def decide(self) -> None:
        """Approve what waits, a few at a time."""
        with httpx.Client(base_url=self.server.url, timeout=30, verify=TLS) as client:
            while not self.over.is_set():
                page = self.send(client, "GET", "/moderation/?status=pending")
                if page.status_code == 303:
                    self.sign_in(client)
                    continue
                ids = re.findall(r'data-comment="(\d+)"', page.text)[:5]
                token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
                if not ids or token is None:
                    time.sleep(0.05)
                    continue
                data = {"csrf_token": token[1], "decision": "approve", "comment": ids}
                if self.send(client, "POST", "/moderation/decisions", data).status_code == 303:
                    self.account.decided.update(map(int, ids))

    def sign_in(self, client: httpx.Client) -> None:
        """Once; the session outlives every restart."""
        page = self.send(client, "GET", "/login")
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
        data = {"csrf_token": token[1] if token else "", "name": "moderator", "password": self.password}
        self.send(client, "POST", "/login", data)

    def stop(self) -> None:
        """Let everybody finish what they are at."""
        self.over.set()
        for thread in self.threads:
            thread.join(60)


def torment(folder: Path, kills: int, report: bool = False, **settings: object) -> Account:
    """Kill a server so many times, then say what was answered meanwhile; compare it with `compare`."""
    content = folder / "content"
    content.mkdir(exist_ok=True)
    (content / f"{SLUG}.md").write_text(ARTICLE)
    server = Serving(folder, content_dir=content, flood_seconds=0, **settings)
    account = Account()
    with server:
        crowd = Crowd(server, account)
        for number in range(kills):
            time.sleep(random.uniform(0.1, 1.0))
            how = KILLS[number % 2]
            server.stop(how)
            account.kills[how.name] += 1
            server.start()
            if report and number % 10 == 9:
                print(f"{number + 1} kills, {len(account.answered)} answers", flush=True)
        crowd.stop()
        server.stop(signal.SIGTERM)
    return account


def compare(database: str, account: Account) -> list[str]:
    """Everything that is not as it was answered."""
    wrong: list[str] = []
    with create_engine(database, poolclass=NullPool).connect() as store:
        if database.startswith("sqlite"):
            found = store.execute(text("PRAGMA integrity_check")).scalar()
            wrong += [] if found == "ok" else [f"the store is damaged: {found}"]
        rows = store.execute(text("SELECT id, body, token, status FROM comment")).all()
        events = store.execute(text("SELECT comment_id, kind, now FROM event")).all()
        counted = store.execute(text("SELECT coalesce(sum(approved), 0) FROM discussion")).scalar()
        tally = {row.name: row.comments for row in store.execute(text("SELECT name, comments FROM tally"))}
    stored = Counter(row.body for row in rows)
    tokens = {row.body: row.token for row in rows}
    statuses = Counter(row.status for row in rows)
    received = Counter(event.comment_id for event in events if event.kind == "received")
    approved = {event.comment_id for event in events if event.kind == "decided"}
    wrong += [f"stored {stored[body]} times: {body[:20]}" for body in account.answered if stored[body] != 1]
    wrong += [f"doubled: {body[:20]}" for body, times in stored.items() if times > 1]
    wrong += [f"cut: {body[:20]}" for body in stored if not re.search(r"^Answer (\d+): .*end \1\.$", body)]
    wrong += [
        f"another receipt: {body[:20]}"
        for body, receipt in account.answered.items()
        if not receipt.endswith(f"/{tokens.get(body)}")
    ]
    wrong += [f"comment {row.id} has no beginning" for row in rows if received[row.id] != 1]
    wrong += [f"decision lost: {row.id}" for row in rows if row.id in account.decided - approved]
    wrong += [
        f"decision undone: {row.id}" for row in rows if (row.id in approved) != (row.status == "approved")
    ]
    if counted != statuses["approved"]:
        wrong.append(f"{counted} are counted as approved, {statuses['approved']} are")
    for status, number in statuses.items():
        if tally.get(f"public-{status}") != number:
            wrong.append(f"the tally says {tally.get(f'public-{status}')} {status}, there are {number}")
    return wrong


def one_round(store: str, kills: int) -> tuple[Account, list[str]]:
    """A new store, so many kills; what was answered, and what differs from it."""
    with tempfile.TemporaryDirectory(prefix="reciprocal-crash-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        if store == "sqlite":
            account = torment(folder, kills, report=True)
            return account, compare(f"sqlite:///{folder / 'data' / 'blog.db'}", account)
        with postgres_server(folder) as postgres:
            account = torment(folder, kills, report=True, database_url=postgres.url)
            return account, compare(postgres.url, account)


def add(total: Counter[str], account: Account, wrong: list[str], seconds: float) -> None:
    """Count what a round found."""
    total.update(account.kills)
    total.update(
        {
            "kills": sum(account.kills.values()),
            "answered posts": len(account.answered),
            "answered decisions": len(account.decided),
            "requests without an answer": account.unanswered,
            "differences": len(wrong),
            "seconds": round(seconds),
        }
    )
    total.update({f"answers {status}": times for status, times in account.refused.items()})


def main() -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--store", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--round", type=int, default=50, help="kills until the store is compared")
    parser.add_argument("--tally", type=Path, help="a JSON file that keeps the counts of every round")
    options = parser.parse_args()
    kept = json.loads(options.tally.read_text()) if options.tally and options.tally.exists() else {}
    total = Counter(kept.get(options.store, {}))
    while total["kills"] < options.kills and not total["differences"]:
        began = time.monotonic()
        account, wrong = one_round(options.store, min(options.round, options.kills - total["kills"]))
        add(total, account, wrong, time.monotonic() - began)
        for line in wrong[:20]:
            print(" ", line)
        if options.tally:
            # Another process may have counted the other store meanwhile.
            kept = json.loads(options.tally.read_text()) if options.tally.exists() else {}
            options.tally.write_text(json.dumps({**kept, options.store: total}, indent=1) + "\n")
        print(f"{options.store}: {', '.join(f'{name} {value}' for name, value in total.items())}", flush=True)
    sys.exit(1 if total["differences"] else 0)


if __name__ == "__main__":
    main()
