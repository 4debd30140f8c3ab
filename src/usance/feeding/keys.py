"""Keys: by which a venue lets an account's rows be read. No text ever shows one."""

import base64
import binascii
import os
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NoReturn

from usance.feeding.downloads import RefusedError
from usance.ledger.disk import closing
from usance.model.feeds import Feed

FILE = "~/.config/usance/keys.toml"
"""Where keys are, if nothing says otherwise."""

FILE_VARIABLE = "USANCE_KEYS"

SIZE_MAX = 2**20
SEED_BYTES = 32

_KEY = re.compile(r"[A-Za-z0-9+/=_-]{1,200}", re.ASCII)
_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
# Opening a pipe would wait for a writer.
_FILE = os.O_RDONLY | os.O_NONBLOCK


class Key:
    """The key of one account and its secret, which stays out of every text about the object."""

    __slots__ = ("key", "secret")

    def __init__(self, key: str, secret: str) -> None:
        self.key = key
        self.secret = secret

    def __repr__(self) -> str:
        """Show that there is a key, and nothing of it."""
        return "Key(...)"

    def __reduce__(self) -> NoReturn:
        """Refuse to be stored."""
        raise TypeError("a key is not stored")


def variable(feed: Feed) -> str:
    """Return the begin of the names of the variables of a feed's key: USANCE_BACKPACK_MAIN."""
    return re.sub(r"[^A-Z0-9]", "_", f"USANCE_{feed.venue}_{feed.sub_account}".upper())


def keys(
    feeds: Iterable[Feed], folder: Path, file: Path | None, environment: Mapping[str, str]
) -> dict[str, Key]:
    """Return the key of each feed by its sub-account; RefusedError if there is none.

    folder  the ledger's; no file of keys is below it
    file    of keys, if one was asked for
    """
    feeds = list(feeds)
    path = _path(file, environment)
    written: Mapping[str, object] | None = None
    found = dict[str, Key]()
    for feed in feeds:
        key = _of_environment(feed, feeds, environment)
        if key is None:
            if written is None:
                written = _read(path, folder)
            key = _of_file(feed, written, path)
        for other, known in found.items():
            if known.key == key.key:
                raise RefusedError(
                    f"Sub-accounts {other} and {feed.sub_account} have the same key, and a key is "
                    "of one sub-account. Make a key at the venue for each."
                )
        found[feed.sub_account] = key
    return found


def _path(file: Path | None, environment: Mapping[str, str]) -> Path:
    if file is not None:
        return file.expanduser()
    return Path(environment.get(FILE_VARIABLE) or FILE).expanduser()


def _of_environment(
    feed: Feed, feeds: Iterable[Feed], environment: Mapping[str, str]
) -> Key | None:
    """Return the key that the variables of a feed hold, or None if neither is set."""
    name = variable(feed)
    key, secret = (environment.get(f"{name}_{part}", "") for part in ("KEY", "SECRET"))
    if not key and not secret:
        return None
    for other in feeds:
        if other is not feed and variable(other) == name:
            raise RefusedError(
                f"{name}_KEY would be the key of both {other.sub_account} and {feed.sub_account}. "
                "Write their keys in a file instead."
            )
    if not key or not secret:
        missing = "KEY" if not key else "SECRET"
        raise RefusedError(f"{name}_{missing} is not set. Set it, or unset the other of the two.")
    return _checked(key, secret, f"{name}_KEY", f"{name}_SECRET")


def _of_file(feed: Feed, written: Mapping[str, object], path: Path) -> Key:
    """Return the key that a file of keys has for a feed."""
    name = feed.sub_account if _BARE.fullmatch(feed.sub_account) else f'"{feed.sub_account}"'
    table = f"[{feed.venue}.{name}]"
    found: object = written
    for part in (feed.venue, feed.sub_account):
        found = found.get(part) if isinstance(found, Mapping) else None
    if found is None:
        raise RefusedError(
            f"There is no key for sub-account {feed.sub_account} of {feed.venue}. Set "
            f"{variable(feed)}_KEY and {variable(feed)}_SECRET, or write {table} with key and "
            f"secret in {path}."
        )
    key, secret = (
        found.get(part) if isinstance(found, Mapping) else None for part in ("key", "secret")
    )
    if not isinstance(key, str) or not isinstance(secret, str):
        raise RefusedError(f"{path}: {table} needs two texts. Write key and secret below it.")
    return _checked(key, secret, f"{path}: key of {table}", f"{path}: secret of {table}")


def _checked(key: str, secret: str, key_place: str, secret_place: str) -> Key:
    """Return a key whose two texts can be what they should be."""
    key, secret = key.strip(), secret.strip()
    if not _KEY.fullmatch(key):
        raise RefusedError(f"{key_place} is no key. Copy it again from the venue.")
    try:
        right = len(base64.b64decode(secret, validate=True)) == SEED_BYTES
    except (binascii.Error, ValueError):
        right = False
    if not right:
        raise RefusedError(
            f"{secret_place} is no secret: it must be {SEED_BYTES} bytes in base64, which are 44 "
            "characters. Copy it again from the venue."
        )
    return Key(key, secret)


def _read(path: Path, folder: Path) -> Mapping[str, object]:
    """Return what a file of keys holds; none if there is no file."""
    real, home = path.resolve(), folder.resolve()
    if home in real.parents or home in path.absolute().parents:
        raise RefusedError(
            f"{path} is below the ledger's folder, whose files are shared and stored. Move it to "
            f"{FILE}, and change its keys if the folder was ever shared."
        )
    try:
        data = _bytes(real, path)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError:
        why = "is not UTF-8"
    except tomllib.TOMLDecodeError as error:
        # Its text has the place and sometimes a character; newer Pythons keep the file in it.
        place = re.search(r"\(at (line \d+), column \d+\)|\(at end of document\)", str(error))
        why = f"is no TOML{f', {place[1]}' if place and place[1] else ''}"
    # Outside of the handler: the error has no chain, which could show the file.
    raise RefusedError(f'{path} {why}. Write [backpack.Main], and key = "..." below it.')


def _bytes(real: Path, path: Path) -> bytes:
    """Return the bytes of a file of keys that only its owner can read."""
    with closing(os.open(real, _FILE)) as descriptor:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError(f"{path} is no regular file. Write the keys in one.")
        if status.st_mode & 0o7777 & ~0o600:
            raise RefusedError(
                f"{path} can be read by others: its mode is {status.st_mode & 0o7777:o}. "
                f"Run chmod 600 {path}"
            )
        if status.st_size > SIZE_MAX:
            raise RefusedError(f"{path} is larger than 1 MiB. Write nothing but keys in it.")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read(SIZE_MAX)
