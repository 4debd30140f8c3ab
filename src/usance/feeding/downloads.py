"""Downloads: the folders of feeding beside a ledger, opened safely, and the lock on them.

What a venue said is data of others. So no link below a folder of feeding is followed, whatever
else runs meanwhile, and no pipe or device is waited for.
"""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from usance.ledger.disk import Disk, closing, locked

DOWNLOADS = "downloads"
"""Folder of what was said: a folder for each venue, in it one for each sub-account."""

IMPORTED = "imported"
"""Folder of the ledger text that is made from the downloads."""

RATES = "rates"
"""Folder of the tables of lending rates."""

SIZE_MAX = 64 * 2**20
"""Bytes of the largest file that is read."""

SNAPSHOT = "snapshot"
"""Folder of a sub-account: its snapshots, each a folder by the moment when it was taken."""

TAKEN = "taken.json"
"""File of a snapshot: when it was taken."""

FILES = "files"
"""Folder of a sub-account: files that a person imported."""

PUBLIC = "public"
"""Folder of a venue, beside its sub-accounts: what it says to everybody."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# Without NONBLOCK, opening a pipe waits for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


class RefusedError(Exception):
    """A file or folder that is not what it must be; its text says which, why, and what to do."""


def page_name(first_row: int) -> str:
    """Return the name of a page by the number of its first row, from 0: the oldest."""
    return f"{first_row:09}.json"


def place(root: Path, path: Path) -> str:
    """Return a path as messages name it: from the ledger's folder, such as downloads/backpack."""
    return path.relative_to(root.parent).as_posix()


def read(root: Path, path: Path) -> bytes:
    """Return the bytes of a regular file below a folder of feeding, at most `SIZE_MAX`.

    root  the folder of feeding, such as the ledger's `downloads`
    """
    with _opened(root, path) as descriptor:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _refused(root, path, "is no regular file. Move it away")
        data = bytearray()
        while len(data) <= SIZE_MAX and (part := os.read(descriptor, 2**20)):
            data += part
        if len(data) > SIZE_MAX:
            raise _refused(root, path, "is larger than 64 MiB. Move it away, or split it")
        return bytes(data)


def files(root: Path, *parts: str) -> list[Path]:
    """Return all files below a folder of feeding, or below a folder in it, in order of path.

    Drafts of a run that died, and whatever else begins with a dot, are left out.
    """
    below = root.joinpath(*parts)
    if not _is_there(root, below):
        return []
    return sorted(_walked(root, below), key=lambda path: path.parts)


def write(root: Path, path: Path, data: bytes, disk: Disk) -> None:
    """Give a file below a folder of feeding new bytes: the old ones or the new ones, never less."""
    _make(root, path.parent, disk)
    if path.is_symlink():
        raise _link(root, path)
    disk.replace(path, data)


def remove(root: Path, path: Path, disk: Disk) -> None:
    """Remove a file below a folder of feeding, if it is there."""
    if _is_there(root, path.parent):
        path.unlink(missing_ok=True)
        _flush(path.parent, disk)


def put(root: Path, draft: Path, folder: Path, disk: Disk) -> None:
    """Give a folder whose files are complete its name, in the place of another."""
    if not _is_there(root, draft):
        raise _refused(root, draft, "is no folder. Move it away")
    if _is_there(root, folder):
        # Of the same second: it becomes a draft, which no one reads.
        old = draft_of(folder.with_name(f"{folder.name}.old"))
        folder.rename(old)
        disk.rename(draft, folder)
        shutil.rmtree(old)
    else:
        disk.rename(draft, folder)
    _flush(folder.parent, disk)


def sweep(root: Path) -> None:
    """Remove the drafts of files and folders that a run that died has left; hold the root first."""
    for folder, folders, names in os.walk(root):
        for name in names:
            if _is_draft(name):
                (Path(folder) / name).unlink()
        for name in filter(_is_draft, list(folders)):
            folders.remove(name)
            if (Path(folder) / name).is_symlink():
                raise _link(root, Path(folder) / name)
            shutil.rmtree(Path(folder) / name)


def draft_of(path: Path) -> Path:
    """Return where a folder is written until it is complete."""
    return path.with_name(f".{path.name}.new")


def _is_draft(name: str) -> bool:
    return name.startswith(".") and name.endswith(".new")


def _flush(folder: Path, disk: Disk) -> None:
    with closing(os.open(folder, os.O_RDONLY)) as descriptor:
        disk.flush(descriptor)


@contextlib.contextmanager
def held(folder: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold the downloads and the imported text of a ledger's folder; both are made if absent.

    wait  called once if another run holds them; the kernel releases them, however that run ends
    """
    roots = [folder / DOWNLOADS, folder / IMPORTED]
    for root in roots:
        _make(root, root, Disk())
    with locked(roots[0], wait), locked(roots[1], wait):
        yield


def _make(root: Path, folder: Path, disk: Disk) -> None:
    """Make a folder with those above it, from the root down; no link stands in its way."""
    if folder != root:
        _make(root, folder.parent, disk)
    try:
        folder.mkdir()
    except FileExistsError:
        if not _is_there(root, folder):
            raise _refused(root, folder, "is no folder. Move it away") from None
        return
    _flush(folder.parent, disk)


def _is_there(root: Path, folder: Path) -> bool:
    """Tell whether a folder is there; a link on the way to it is refused."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), _opened(root, folder) as found:
        return stat.S_ISDIR(os.fstat(found).st_mode)
    return False


def _walked(root: Path, folder: Path) -> Iterator[Path]:
    """Yield the files below a folder; a link, or what is no file, is refused."""
    with os.scandir(folder) as found:
        entries = list(found)
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            raise _link(root, path)
        if entry.is_dir(follow_symlinks=False):
            yield from _walked(root, path)
        elif entry.is_file(follow_symlinks=False):
            yield path
        else:
            raise _refused(root, path, "is no regular file. Move it away")


@contextlib.contextmanager
def _opened(root: Path, path: Path) -> Iterator[int]:
    """Open a path below a root, each folder from the one above it, so that no link is followed."""
    parts = path.relative_to(root).parts
    if ".." in parts:
        raise _refused(root, path, "leads upwards. Write the path without ..")
    with contextlib.ExitStack() as stack:
        found: int | None = None
        at = root.parent
        for name in (root.name, *parts):
            at /= name
            flags = _FILE if at == path else _FOLDER
            try:
                found = stack.enter_context(closing(_open(at, flags, found)))
            except OSError as error:
                if error.errno == errno.ELOOP or at.is_symlink():
                    raise _link(root, at) from error
                raise OSError(error.errno, error.strerror, str(at)) from error
        assert found is not None
        yield found


def _open(at: Path, flags: int, above: int | None) -> int:
    """Open a folder or file of an open folder, or by its path if there is none."""
    return os.open(at if above is None else at.name, flags, dir_fd=above)


def _link(root: Path, path: Path) -> RefusedError:
    return _refused(root, path, "is a link. Put the file or folder itself in its place")


def _refused(root: Path, path: Path, why: str) -> RefusedError:
    return RefusedError(f"{place(root, path)} {why}.")
