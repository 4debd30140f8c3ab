"""The file operations of a run, counted in the operating system's own functions, and struck."""

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

COUNTED: dict[str, ModuleType] = {
    **dict.fromkeys(
        ("open", "write", "fsync", "replace", "unlink", "fchmod", "fchown", "utime", "close"), os
    ),
    "flock": fcntl,
}
"""Everything by which a run touches the folder of closed days, except reading it."""


class Killed(BaseException):
    """The process ends here."""


@dataclass(frozen=True)
class Call:
    """An operation that is about to be done."""

    name: str
    do: Callable[..., Any]
    args: tuple[Any, ...]

    def done(self) -> Any:  # noqa: ANN401 -- what the operating system's functions return
        return self.do(*self.args)


Strike = Callable[[Call], Any]
"""What happens instead of an operation."""


def kill(_call: Call) -> None:
    """End the process before the operation."""
    raise Killed


def tear(call: Call) -> None:
    """End the process when half of the bytes are written."""
    descriptor, data = call.args
    call.do(descriptor, data[: len(data) // 2])
    raise Killed


def fail(fault: int) -> Strike:
    """Let the operation fail."""

    def strike(call: Call) -> None:
        paths = [str(given) for given in call.args if isinstance(given, str | Path)]
        raise OSError(fault, os.strerror(fault), *paths[:1])

    return strike


def fill(call: Call) -> None:
    """Let the disk be full when half of the bytes are written."""
    descriptor, data = call.args
    call.do(descriptor, data[: len(data) // 2])
    fail(errno.ENOSPC)(call)


def named(call: Call) -> str:
    """Name an operation, apart what creates a file and what waits for a folder."""
    match call.name, call.args:
        case "open", (_, int(flags), *_) if flags & os.O_CREAT:
            return "create"
        case "fsync", (int(descriptor),) if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return "fsync of the folder"
    return call.name


@dataclass
class Operations:
    """Counts operations, from 1 on; strikes at one of them.

    at     number of the operation that is struck, 0 for none
    chunk  most bytes that one write takes
    """

    at: int = 0
    strike: Strike = kill
    chunk: int = 1 << 30
    seen: list[str] = field(default_factory=list)
    dead: bool = False

    def __call__(self, call: Call) -> Any:  # noqa: ANN401 -- as Call.done
        if self.dead:
            if call.name == "close":
                return call.done()  # as the kernel does
            raise Killed
        if call.name == "open" and Path(call.args[0]).suffix == ".csv":
            return call.done()
        if call.name == "write":
            descriptor, data = call.args
            call = Call(call.name, call.do, (descriptor, data[: self.chunk]))
        self.seen.append(named(call))
        self.note(call)
        if len(self.seen) != self.at:
            return call.done()
        try:
            return self.strike(call)
        except Killed:
            self.dead = True
            if call.name == "close":
                call.done()
            self.end()
            raise

    def note(self, call: Call) -> None:
        """Take note of an operation before it is done."""

    def end(self) -> None:
        """Do what else happens when the process ends."""


@dataclass
class Power(Operations):
    """A machine that loses power: what it did not wait for may be lost.

    undo     whether a rename that was not waited for is undone
    unsaved  files with bytes that were not waited for, by descriptor
    renamed  the last rename that was not waited for, and the bytes that stood there before
    """

    undo: bool = False
    unsaved: dict[int, Path] = field(default_factory=dict)
    renamed: tuple[Path, Path, bytes | None] | None = None
    lost: set[Path] = field(default_factory=set)

    def note(self, call: Call) -> None:
        match call.name, call.args:
            case "write", (int(descriptor), _):
                path = Path(f"/proc/self/fd/{descriptor}").readlink()
                self.unsaved[descriptor] = path
                self.lost.add(path)
            case "replace", (old, new):
                old, new = Path(old), Path(new)
                self.renamed = old, new, new.read_bytes() if new.exists() else None
        if len(self.seen) == self.at:
            return
        match call.name, call.args:
            case "fsync", (int(descriptor),) if descriptor in self.unsaved:
                self.lost.discard(self.unsaved.pop(descriptor))
            case "fsync", _:
                self.renamed = None
            case "replace", (old, new) if Path(old) in self.lost:
                self.lost.add(Path(new))

    def end(self) -> None:
        if self.renamed is not None and self.undo:
            draft, path, before = self.renamed
            if path.exists() and not draft.exists():
                path.rename(draft)
                if before is not None:
                    path.write_bytes(before)
        for path in self.lost:
            if path.exists():
                path.write_bytes(b"")


@contextmanager
def counted(operations: Operations) -> Iterator[Operations]:
    """Pass all operations of this process through a counter."""
    with pytest.MonkeyPatch.context() as patch:
        for name, module in COUNTED.items():
            real = getattr(module, name)

            def passed(
                *args: Any,  # noqa: ANN401 -- as Call.done
                name: str = name,
                real: Callable[..., Any] = real,
                **more: Any,  # noqa: ANN401
            ) -> Any:  # noqa: ANN401
                return operations(Call(name, lambda *given: real(*given, **more), args))

            patch.setattr(module, name, passed)
        yield operations
