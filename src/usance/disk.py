"""Disk: the file operations of a run, one by one, and the lock that keeps runs apart."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path


class Disk:
    """The file operations of a run, one by one."""

    def read(self, path: Path) -> bytes:
        """Return the bytes of a file, none where it is missing."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return b""

    def create(self, path: Path) -> int:
        """Open a file for writing, empty."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)

    def write(self, descriptor: int, data: bytes) -> int:
        """Write some of the bytes; return how many."""
        return os.write(descriptor, data)

    def flush(self, descriptor: int) -> None:
        """Wait until what was written is on the disk."""
        os.fsync(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Put a file in the place of another."""
        old.replace(new)

    def replace(self, path: Path, data: bytes) -> None:
        """Give a file new bytes, so that it holds the old ones or the new ones, never less."""
        draft = path.with_name(f".{path.name}.new")
        try:
            descriptor = self.create(draft)
            try:
                _keep_mode(path, descriptor)
                rest = memoryview(data)
                while rest:
                    rest = rest[self.write(descriptor, bytes(rest)) :]
                self.flush(descriptor)
            finally:
                os.close(descriptor)
            self.rename(draft, path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            self.flush(folder)
        finally:
            os.close(folder)


def _keep_mode(path: Path, descriptor: int) -> None:
    """Give a new file the mode and owner of the one that it replaces."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return
    os.fchmod(descriptor, status.st_mode & 0o7777)
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, status.st_uid, status.st_gid)


@contextlib.contextmanager
def locked(folder: Path, wait: Callable[[], None]) -> Iterator[None]:
    """Hold the folder against other runs; the kernel releases it, however the run ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(files: Iterable[tuple[Path, bytes]], disk: Disk) -> None:
    """Replace files one after the other."""
    for path, data in files:
        disk.replace(path, data)
        os.utime(path.parent)  # what Fava watches of a folder: its own attributes
