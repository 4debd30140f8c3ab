"""Disk: the lock, and what is read and replaced; what happens when it fails is in test_faults."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from usance.ledger.disk import Disk, locked, plain, write


def is_free(folder: Path) -> bool:
    """Tell whether nobody holds the lock of a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def never() -> None:
    pytest.fail("nobody holds the lock")


def test_the_lock_is_held_until_the_end(tmp_path: Path) -> None:
    with locked(tmp_path, never):
        assert not is_free(tmp_path)
    assert is_free(tmp_path)
    with pytest.raises(KeyError), locked(tmp_path, never):
        raise KeyError
    assert is_free(tmp_path)


@pytest.mark.parametrize("held", [fcntl.LOCK_EX, fcntl.LOCK_SH])
def test_a_lock_that_another_holds_is_waited_for(held: int, tmp_path: Path) -> None:
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, held)
    told = []

    def wait() -> None:
        told.append(is_free(tmp_path))
        os.close(other)

    with locked(tmp_path, wait):
        assert told == [False]
        assert not is_free(tmp_path)
    assert is_free(tmp_path)


def test_a_folder_that_cannot_be_locked_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(_descriptor: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match="No locks available"), locked(tmp_path, never):
        pytest.fail("it is not locked")


def test_a_file_that_is_missing_holds_nothing(tmp_path: Path) -> None:
    assert Disk().read(tmp_path / "missing") == b""
    (tmp_path / "there").write_bytes(b"bytes")
    assert Disk().read(tmp_path / "there") == b"bytes"


def test_what_is_no_plain_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for refused in (tmp_path, tmp_path / "link"):
        for ask in (plain, Disk().read):
            with pytest.raises(OSError, match="Not a plain file; move it away: ") as raised:
                ask(refused)
            assert raised.value.filename == str(refused)
            assert raised.value.errno == errno.EINVAL
            assert raised.value.strerror == "Not a plain file; move it away"


def test_what_could_not_be_replaced_is_named(tmp_path: Path) -> None:
    (tmp_path / "month").mkdir()
    with pytest.raises(IsADirectoryError) as raised:
        Disk().replace(tmp_path / "month", b"bytes")
    assert raised.value.filename == str(tmp_path / "month")
    assert [path.name for path in tmp_path.iterdir()] == ["month"]


def test_files_are_replaced_in_order_and_their_folder_is_touched(tmp_path: Path) -> None:
    os.utime(tmp_path, (0, 0))
    write(((tmp_path / name, name.encode()) for name in ("one", "two", "one")), Disk())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "one": b"one",
        "two": b"two",
    }
    os.utime(tmp_path, (0, 0))
    write([(tmp_path / "one", b"")], Disk())
    assert (tmp_path / "one").read_bytes() == b""
    assert tmp_path.stat().st_atime > 0
