"""The folders of feeding: what is read and written below them, and what is refused."""

import multiprocessing
import os
import signal
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from usance.feeding import downloads
from usance.feeding.downloads import RefusedError, files, held, page_name, place, read, write
from usance.ledger.disk import Disk

SECRET = b"what nobody may read"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "books" / "downloads"
    folder.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "page.json").write_bytes(SECRET)
    return folder


def test_what_is_written_is_read_and_listed_in_order(root: Path) -> None:
    for name in ("fills/000001000.json", "fills/000000000.json", "dust/000000000.json"):
        write(root, root / "backpack" / "Main" / name, name.encode(), Disk())
    found = files(root, "backpack", "Main")
    assert [place(root, path) for path in found] == [
        "downloads/backpack/Main/dust/000000000.json",
        "downloads/backpack/Main/fills/000000000.json",
        "downloads/backpack/Main/fills/000001000.json",
    ]
    assert [read(root, path) for path in found][1:] == [
        b"fills/000000000.json",
        b"fills/000001000.json",
    ]
    assert files(root, "backpack", "Main", "fills") == found[1:]
    assert files(root, "backpack", "Arb") == []


def test_pages_sort_by_their_first_row() -> None:
    assert page_name(1000) == "000001000.json"
    assert page_name(999_000) < page_name(1_000_000)


def test_drafts_of_a_run_that_died_are_left_out(root: Path) -> None:
    write(root, root / "page.json", b"[]", Disk())
    (root / ".page.json.new").write_bytes(b"[")
    assert files(root) == [root / "page.json"]


def test_a_link_to_a_file_is_refused(root: Path) -> None:
    link = root / "page.json"
    link.symlink_to(root.parents[1] / "elsewhere" / "page.json")
    says = "downloads/page.json is a link. Put the file or folder itself in its place."
    with pytest.raises(RefusedError, match=says):
        read(root, link)
    with pytest.raises(RefusedError, match=says):
        files(root)
    with pytest.raises(RefusedError, match=says):
        write(root, link, b"mine", Disk())
    assert link.read_bytes() == SECRET


def test_a_link_to_a_folder_is_refused(root: Path) -> None:
    (root / "backpack").symlink_to(root.parents[1] / "elsewhere")
    says = "downloads/backpack is a link"
    with pytest.raises(RefusedError, match=says):
        read(root, root / "backpack" / "page.json")
    with pytest.raises(RefusedError, match=says):
        files(root, "backpack")
    with pytest.raises(RefusedError, match=says):
        write(root, root / "backpack" / "page.json", b"mine", Disk())


def test_the_folder_itself_may_not_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "downloads").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedError, match="downloads is a link"), held(tmp_path, lambda: None):
        pass


def test_a_pipe_is_refused_and_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "page.json")
    with pytest.raises(RefusedError, match=r"downloads/page\.json is no regular file"):
        read(root, root / "page.json")
    with pytest.raises(RefusedError, match=r"downloads/page\.json is no regular file"):
        files(root)


def test_a_file_in_the_place_of_a_folder_is_refused(root: Path) -> None:
    (root / "backpack").write_bytes(b"")
    with pytest.raises(RefusedError, match="downloads/backpack is no folder"):
        write(root, root / "backpack" / "Main" / "page.json", b"[]", Disk())


def test_a_file_over_64_mib_is_refused(root: Path) -> None:
    with (root / "page.json").open("wb") as file:
        file.truncate(64 * 2**20)
    assert len(read(root, root / "page.json")) == 64 * 2**20
    with (root / "page.json").open("ab") as file:
        file.write(b" ")
    with pytest.raises(RefusedError, match=r"downloads/page\.json is larger than 64 MiB"):
        read(root, root / "page.json")


def test_a_path_that_leads_upwards_is_refused(root: Path) -> None:
    with pytest.raises(RefusedError, match="leads upwards"):
        read(root, root / ".." / "elsewhere")


def test_a_missing_file_is_said_with_its_path(root: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        read(root, root / "page.json")
    assert raised.value.filename == str(root / "page.json")


def test_both_folders_are_made_and_held(tmp_path: Path) -> None:
    with held(tmp_path, lambda: pytest.fail("nobody else is here")):
        assert (tmp_path / downloads.DOWNLOADS).is_dir()
        assert (tmp_path / downloads.IMPORTED).is_dir()


def _hold(folder: Path, ready: Event) -> None:
    with held(folder, lambda: None):
        ready.set()
        time.sleep(60)


def test_a_second_run_waits_until_the_kernel_releases_a_run_that_was_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    first = context.Process(target=_hold, args=(tmp_path, ready))
    first.start()
    assert ready.wait(30)
    assert first.pid is not None
    pid, waited = first.pid, list[int]()

    def wait() -> None:
        waited.append(1)
        os.kill(pid, signal.SIGKILL)

    with held(tmp_path, wait):
        pass
    first.join()
    assert waited == [1]
