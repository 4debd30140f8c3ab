"""Disk: the file operations of a run, one by one, and the lock that keeps runs apart."""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path


class Disk:
    """The file operations of a run, one by one."""

    def read(self, path: Path) -> bytes:
        """Return the bytes of a plain file, none if it is missing."""
        try:
            plain(path)
            return path.read_bytes()
        except FileNotFoundError:
            return b""

    def create(self, path: Path) -> int:
        """Open a new file for writing, in the place of one that a run that died may have left."""
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)

    def write(self, descriptor: int, data: bytes) -> int:
        """Write some of the bytes; return how many."""
        return os.write(descriptor, data)

    def flush(self, descriptor: int) -> None:
        """Wait until the written bytes are on the disk."""
        os.fsync(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Put a file in the place of another."""
        old.replace(new)

    def make_folder(self, path: Path) -> None:
        """Make a folder, if it is missing, and wait until it is on the disk."""
        if path.is_symlink():
            raise OSError(errno.EINVAL, "Not a plain folder; move it away", str(path))
        try:
            path.mkdir(exist_ok=True)
            with closing(os.open(path.parent, os.O_RDONLY)) as folder:
                self.flush(folder)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from error

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def replace(self, path: Path, data: bytes) -> None:
        """Give a file new bytes, so that it holds the old ones or the new ones, never less."""
        draft = path.with_name(f".{path.name}.new")
        try:
            with closing(self.create(draft)) as descriptor:
                _keep_mode(path, descriptor)
                rest = memoryview(data)
                while rest:
                    rest = rest[self.write(descriptor, bytes(rest)) :]
                self.flush(descriptor)
            self.rename(draft, path)
            with closing(os.open(path.parent, os.O_RDONLY)) as folder:
                self.flush(folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise OSError(error.errno, error.strerror, str(path)) from error


@contextlib.contextmanager
def closing(descriptor: int) -> Iterator[int]:
    """Close a descriptor at the end."""
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _keep_mode(path: Path, descriptor: int) -> None:
    """Give a new file the mode and owner of the one that it replaces."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return
    os.fchmod(descriptor, status.st_mode & 0o7777)
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, status.st_uid, status.st_gid)


def plain(path: Path) -> None:
    """Raise OSError if a path is no plain file: a link may lead anywhere, a pipe never ends."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise OSError(errno.EINVAL, "Not a plain file; move it away", str(path))


@contextlib.contextmanager
def locked(folder: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold the folder against other runs; the kernel releases it, however the run ends."""
    # On the open folder itself, so that no lock file is left behind. A second run waits, then loads
    # the books that the first one wrote.
    with closing(os.open(folder, os.O_RDONLY)) as descriptor:
        _lock(descriptor, wait)
        yield


def _lock(descriptor: int, wait: Callable[[], None]) -> None:
    """Lock an open folder; call `wait` first if another run holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        wait()
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def write(files: Iterable[tuple[Path, bytes]], disk: Disk) -> None:
    """Replace files one after the other."""
    for path, data in files:
        disk.replace(path, data)
        os.utime(path.parent)  # what Fava watches of a folder: its own attributes
