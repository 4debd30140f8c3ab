"""Where a rates file lies and what it is: a regular file below the ledger, and nothing else."""

import os
import socket
import stat
import tracemalloc
from pathlib import Path

import pytest
from folders import Folder
from test_errors import load
from test_rate_files import EARNED, RATES, at_directive, csv, earned, made, refused

INSIDE = "Keep it in the ledger's folder and write its path from there, such as rates/usdc.csv."
NAME = "Write the path of a rates file from the ledger's folder, such as rates/usdc.csv."
READABLE = "Make it readable, or write the path of another rates file."


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return made(tmp_path)


def naming(folder: Folder, path: str) -> None:
    """Let the ledger name another file."""
    folder.edit('"rates/usdc.csv"', f'"{path}"')


PATHS = {
    "../usdc.csv": f'has ".." in its path. {INSIDE}',
    "rates/../rates/usdc.csv": f'has ".." in its path. {INSIDE}',
    "..": f'has ".." in its path. {INSIDE}',
    "/srv/books/usdc.csv": f"is not a path in the ledger's folder. {INSIDE}",
    "/dev/zero": f"is not a path in the ledger's folder. {INSIDE}",
    "rates\\\\usdc.csv": f"is not a path in the ledger's folder. {INSIDE}",
    "rates": f"is not a regular file. {NAME}",
    ".": f"is not a regular file. {NAME}",
    "rates/usdt.csv": f"does not exist. {NAME}",
    "Rates/usdc.csv": f"does not exist. {NAME}",
    "rates/usdc.csv/": None,
    "~/usdc.csv": f"does not exist. {NAME}",
    "rates/*.csv": f"does not exist. {NAME}",
    "rates/usdc.csv/x": f"cannot be read: Not a directory. {READABLE}",
    "x" * 300: f"cannot be read: File name too long. {READABLE}",
    "x/" * 3000: f"cannot be read: File name too long. {READABLE}",
}


@pytest.mark.parametrize(("path", "why"), PATHS.items(), ids=lambda text: str(text)[:30])
def test_a_path_leads_to_a_file_below_the_ledger(
    path: str, why: str | None, folder: Folder
) -> None:
    naming(folder, path)
    if why is None:
        assert earned(folder) == EARNED
    else:
        refused(folder, at_directive(why, path.replace("\\\\", "\\")))


def test_an_empty_path_is_told(folder: Folder) -> None:
    naming(folder, "")
    refused(folder, at_directive(f"is not a path in the ledger's folder. {INSIDE}", '""'))


OUTSIDE = f"is a link that leads out of the ledger's folder. {INSIDE}"


def test_a_link_that_stays_inside_is_followed(folder: Folder) -> None:
    csv(folder).rename(folder.path / "rates" / "real.csv")
    csv(folder).symlink_to("real.csv")
    assert earned(folder) == EARNED


def test_a_folder_that_is_a_link_inside_is_followed(folder: Folder) -> None:
    (folder.path / "rates").rename(folder.path / "real")
    (folder.path / "rates").symlink_to("real")
    assert earned(folder) == EARNED


def test_a_ledger_in_a_folder_that_is_a_link_reads_its_rates(folder: Folder) -> None:
    (folder.path.parent / "link").symlink_to(folder.path)
    assert earned(Folder(folder.path.parent / "link")) == EARNED


@pytest.mark.parametrize("target", ["../../usdc.csv", "absolute", "../../books-of-others/usdc.csv"])
def test_a_link_that_leads_out_is_told(target: str, folder: Folder) -> None:
    """Also where the name of the folder outside begins as that of the ledger's own."""
    for name in ("usdc.csv", "books-of-others/usdc.csv"):
        other = folder.path.parent / name
        other.parent.mkdir(exist_ok=True)
        other.write_text(RATES)
    csv(folder).unlink()
    csv(folder).symlink_to(folder.path.parent / "usdc.csv" if target == "absolute" else target)
    refused(folder, at_directive(OUTSIDE))


def test_a_folder_that_is_a_link_out_is_told(folder: Folder) -> None:
    (folder.path / "rates").rename(folder.path.parent / "rates")
    (folder.path / "rates").symlink_to("../rates")
    refused(folder, at_directive(OUTSIDE))


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/stdin"])
def test_a_link_to_a_device_is_told(device: str, folder: Folder) -> None:
    csv(folder).unlink()
    csv(folder).symlink_to(device)
    refused(folder, at_directive(OUTSIDE))


def test_a_link_to_nothing_is_told(folder: Folder) -> None:
    csv(folder).unlink()
    csv(folder).symlink_to("nothing.csv")
    refused(folder, at_directive(f"does not exist. {NAME}"))


def test_a_link_to_itself_is_told(folder: Folder) -> None:
    csv(folder).unlink()
    csv(folder).symlink_to("usdc.csv")
    refused(folder, at_directive(f"cannot be read: Too many levels of symbolic links. {READABLE}"))


def test_a_pipe_is_told_and_does_not_block(folder: Folder) -> None:
    csv(folder).unlink()
    os.mkfifo(csv(folder))
    refused(folder, at_directive(f"is not a regular file. {NAME}"))


def test_a_socket_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    csv(folder).unlink()
    monkeypatch.chdir(csv(folder).parent)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("usdc.csv")  # a socket's path is short
        refused(folder, at_directive(f"cannot be read: No such device or address. {READABLE}"))


def test_a_device_is_told(folder: Folder) -> None:
    csv(folder).unlink()
    try:
        os.mknod(csv(folder), stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root may make a device")
    refused(folder, at_directive(f"is not a regular file. {NAME}"))


def test_a_folder_in_its_place_is_told(folder: Folder) -> None:
    csv(folder).unlink()
    csv(folder).mkdir()
    refused(folder, at_directive(f"is not a regular file. {NAME}"))


MIB = 1024 * 1024
TOO_LARGE = "is larger than 64 MiB. Split it by year, and give each part a directive of its own."
SIZES = {
    64 * MIB: "contains NUL bytes, so it is not text. Save it as CSV in UTF-8.",
    64 * MIB + 1: TOO_LARGE,
    1024 * MIB: TOO_LARGE,
    2**40: TOO_LARGE,
}
"""Files without blocks on the disk, which read as NUL bytes: up to 64 MiB they are looked at."""


@pytest.mark.parametrize(("size", "why"), SIZES.items())
def test_a_file_has_at_most_64_mib(size: int, why: str, folder: Folder) -> None:
    os.truncate(csv(folder), size)
    refused(folder, at_directive(why))


def test_a_file_that_is_too_large_is_not_read(folder: Folder) -> None:
    os.truncate(csv(folder), 1024 * MIB)
    tracemalloc.start()
    load(folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MIB
