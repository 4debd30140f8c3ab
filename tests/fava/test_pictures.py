"""The README's pictures are there, small, and show what the pages say today."""

import struct
from pathlib import Path

import browser
import pictures
import pytest

NAMES = [f"{name}-{scheme}.png" for name in pictures.PICTURES for scheme in pictures.SCHEMES]


def size(picture: Path) -> tuple[int, int]:
    """Return width and height in pixels, from the header of a PNG."""
    head = picture.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:])
    return width, height


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_in_the_readme_and_small(name: str) -> None:
    picture = pictures.FOLDER / name
    assert f'"docs/pictures/{name}"' in (pictures.ROOT / "README.md").read_text()
    assert size(picture) == pictures.SIZE
    assert picture.stat().st_size <= 150_000


def test_there_is_no_other_picture() -> None:
    assert sorted(path.name for path in pictures.FOLDER.glob("*.png")) == sorted(NAMES)


@browser.NEEDED
def test_pictures_taken_now_show_the_same(tmp_path: Path) -> None:
    """Goal: no picture is out of date. Method: its text, for pixels depend on fonts."""
    shown = dict(pictures.take(tmp_path))
    kept = {path.stem: path.read_text() for path in pictures.FOLDER.glob("*.txt")}
    assert {name: f"{text}\n" for name, text in shown.items()} == kept
    for name in pictures.PICTURES:
        light, dark = (tmp_path / f"{name}-{scheme}.png" for scheme in pictures.SCHEMES)
        assert size(light) == pictures.SIZE
        assert light.read_bytes() != dark.read_bytes()
