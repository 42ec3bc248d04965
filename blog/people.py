"""The people who decide: moderators, their passwords, and the sessions in which they are signed in.

A session is a random token in the moderator's cookie and its SHA-256 in a row: it can be listed and revoked,
and whoever reads the database cannot sign in with it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from datetime import datetime, timedelta

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, String, Text, delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, contains_eager, mapped_column, relationship

from blog.config import settings
from blog.db import Base, UtcDateTime, db, utcnow, write
from blog.history import Event
from blog.passwords import Unfit, hash_password, is_outdated, is_right
from blog.text import clean_line, fold, is_invisible

Id = BigInteger().with_variant(Integer, "sqlite")

NAME = 100  # characters
ROLES = ("owner", "moderator")
# What the log writes where no moderator acted; no person may be called so.
TAKEN = frozenset({"author", "screening", "akismet", "system"})

IDLE = timedelta(days=14)
OLDEST = timedelta(days=90)
SEEN_EVERY = timedelta(minutes=5)


class Moderator(Base):
    """Somebody who may decide about comments; an owner may also manage people."""

    __tablename__ = "moderator"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME))
    name_folded: Mapped[str] = mapped_column(Text, unique=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16), default="moderator")  # or "owner"
    mail: Mapped[str] = mapped_column(String(254), default="")
    mail_mode: Mapped[str] = mapped_column(String(8), default="digest")  # "each", "digest" or "off"
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    active: Mapped[bool] = mapped_column(default=True)
    # The second factor, see totp.py; null: not enrolled.
    totp_secret: Mapped[str | None] = mapped_column(String(64))
    totp_last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    recovery: Mapped[list[str]] = mapped_column(JSON, default=list)


class Session(Base):
    """One browser in which a moderator is signed in."""

    __tablename__ = "moderator_session"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    moderator_id: Mapped[int] = mapped_column(ForeignKey("moderator.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    address_network: Mapped[str] = mapped_column(String(49), default="")
    user_agent: Mapped[str] = mapped_column(String(200), default="")

    moderator: Mapped[Moderator] = relationship()


def find_moderator(name: str) -> Moderator | None:
    """The moderator of this name, however it is written."""
    return db.session.scalar(select(Moderator).where(Moderator.name_folded == _folded(name)))


def add_moderator(name: str, password: str, role: str = "", by: str = "system") -> Moderator:
    """Add a moderator, or give an existing one this password, which ends their sessions.

    Without a `role` an existing one stays what they were, and a new one is an owner when there is none.
    Raises Unfit for a name or password that cannot be.
    """
    name, hashed = fit_name(name), hash_password(password)
    try:
        return _put(name, hashed, role, by)
    except IntegrityError:  # somebody else added that name at this moment: now it exists
        return _put(name, hashed, role, by)


def ensure_first_moderator() -> tuple[str, str] | None:
    """Make the first moderator if there is nobody at all: name and password, once; None for later callers.

    Both are also kept in first-moderator.txt in the data folder, readable for the folder's owner only.
    """
    if db.session.scalar(select(exists().select_from(Moderator))):
        return None
    name, password = "moderator", secrets.token_urlsafe(12)
    hashed = hash_password(password)
    try:
        with write() as session:
            if session.scalar(select(exists().select_from(Moderator))):
                return None
            _new(name, hashed, "owner")
            # Before the commit: a password that nobody can read must not be the one that counts.
            _keep(f"name: {name}\npassword: {password}\n")
    except IntegrityError:
        return None  # another machine on the same store was first
    return name, password


def deactivate(moderator: Moderator, by: str = "system") -> None:
    """Take a person's access away; what they decided keeps their name. Raises Unfit for the last owner."""
    with write() as session:
        moderator = locked(moderator)
        _spare_the_last_owner(moderator)
        moderator.active = False
        end_sessions(moderator)
        session.add(Event(actor=by, kind="moderator-removed", note=moderator.name))


def set_role(moderator: Moderator, role: str, by: str = "system") -> None:
    """Make somebody an owner or a moderator. Raises Unfit for the last owner, and for any other role."""
    if role not in ROLES:
        raise Unfit(f"There is no role {role!r}; there are {' and '.join(ROLES)}.")
    with write() as session:
        moderator = locked(moderator)
        if role != "owner":
            _spare_the_last_owner(moderator)
        if moderator.role != role:
            moderator.role = role
            session.add(Event(actor=by, kind="role-changed", note=f"{moderator.name}: {role}"))


def everybody() -> list[Moderator]:
    """Whoever may sign in, by name."""
    return list(db.session.scalars(select(Moderator).where(Moderator.active).order_by(Moderator.name_folded)))


def _spare_the_last_owner(moderator: Moderator) -> None:
    owners = select(Moderator.id).where(Moderator.role == "owner", Moderator.active).with_for_update()
    if list(db.session.scalars(owners)) == [moderator.id]:
        raise Unfit(f"{moderator.name} is the only owner; make somebody else an owner first.")


def check_password(name: str, password: str) -> Moderator | None:
    """The moderator, or None for an unknown name, a wrong password or a removed person: each costs one hash.

    A hash of other parameters than today's is replaced when the password was right.
    """
    found = find_moderator(name) if len(name) <= 2 * NAME else None
    usable = found if found is not None and found.active else None
    if not is_right(password, usable.password_hash if usable else None) or usable is None:
        return None
    if is_outdated(old := usable.password_hash):
        hashed = hash_password(password)
        with write() as session:
            same = (Moderator.id == usable.id, Moderator.password_hash == old)
            session.execute(update(Moderator).where(*same).values(password_hash=hashed))
    return usable


def start_session(moderator: Moderator, network: str, user_agent: str) -> str:
    """Begin a session; its token, which is kept nowhere here. Inside `write()`."""
    token, now = secrets.token_urlsafe(32), utcnow()
    db.session.add(
        Session(
            moderator_id=moderator.id,
            token_hash=_sealed(token),
            created_at=now,
            seen_at=now,
            expires_at=now + IDLE,
            address_network=network,
            user_agent=clean_line(user_agent[:400])[:200],
        )
    )
    return token


def find_session(token: str) -> Session | None:
    """The session of a token: not ended, not idle for 14 days, not older than 90, of an active moderator.

    It and its moderator are copies: the session may be ended elsewhere while this request still needs them.
    """
    now = utcnow()
    query = select(Session).join(Session.moderator).options(contains_eager(Session.moderator))
    alive = (Session.token_hash == _sealed(token), Session.expires_at > now, Moderator.active)
    found = db.session.scalar(query.where(*alive))
    if found is None:
        return None
    db.session.expunge(found.moderator)
    db.session.expunge(found)
    if now - found.seen_at >= SEEN_EVERY:
        until = min(now + IDLE, found.created_at + OLDEST)
        with write() as session:
            session.execute(
                update(Session).where(Session.id == found.id).values(seen_at=now, expires_at=until)
            )
    return found


def locked(moderator: Moderator) -> Moderator:
    """The moderator as they are now, for a change. Inside `write()`."""
    return db.session.get_one(Moderator, moderator.id, populate_existing=True, with_for_update=True)


def sessions_of(moderator: Moderator) -> list[Session]:
    """Where somebody is signed in, the latest first."""
    query = select(Session).where(Session.moderator_id == moderator.id, Session.expires_at > utcnow())
    return list(db.session.scalars(query.order_by(Session.seen_at.desc(), Session.id.desc())))


def end_session(token: str) -> None:
    """Sign out. Inside `write()`."""
    db.session.execute(delete(Session).where(Session.token_hash == _sealed(token)))


def end_sessions(moderator: Moderator, only: int | None = None, but: int | None = None) -> None:
    """Sign out everywhere, or of the session `only`, or of all but one; by their ids. Inside `write()`."""
    query = delete(Session).where(Session.moderator_id == moderator.id)
    if only is not None:
        query = query.where(Session.id == only)
    if but is not None:
        query = query.where(Session.id != but)
    db.session.execute(query)


def purge_sessions() -> None:
    """Delete the sessions that are over. Not inside `write()`."""
    over = Session.expires_at <= utcnow()
    if db.session.scalar(select(Session.id).where(over).limit(1)) is not None:
        with write() as session:
            session.execute(delete(Session).where(over))


def fit_name(name: str) -> str:
    """The name as it is kept. Raises Unfit."""
    name = clean_line(name)
    if not name or is_invisible(name):
        raise Unfit("A moderator needs a name that can be seen.")
    if len(name) > NAME:
        raise Unfit(f"A moderator's name has at most {NAME} characters.")
    if fold(name) in TAKEN:
        raise Unfit(f"Nobody can be called {name}: the log uses that word. Choose another name.")
    return name


def _folded(name: str) -> str:
    return fold(clean_line(name))


def _put(name: str, hashed: str, role: str, by: str) -> Moderator:
    with write() as session:
        found = find_moderator(name)
        known = found is not None and found.active
        session.add(Event(actor=by, kind="password-changed" if known else "moderator-added", note=name))
        if found is None:
            return _new(name, hashed, role or _needed_role())
        found.password_hash, found.active, found.role = hashed, True, role or found.role
        end_sessions(found)
        return found


def _new(name: str, hashed: str, role: str) -> Moderator:
    made = Moderator(name=name, name_folded=_folded(name), password_hash=hashed, role=role)
    db.session.add(made)
    db.session.flush()
    return made


def _needed_role() -> str:
    owner = exists().where(Moderator.role == "owner", Moderator.active)
    return "moderator" if db.session.scalar(select(owner)) else "owner"


def _sealed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _keep(words: str) -> None:
    folder = settings().data_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / f".first-moderator.{secrets.token_hex(8)}"
    draft.touch(0o600, exist_ok=False)
    with draft.open("w") as file:
        file.write(words)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / "first-moderator.txt")
