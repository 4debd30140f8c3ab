"""What is built is what is in the tree, and it works where the tree is not."""

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import usance

ROOT = Path(__file__).parents[2]
PACKAGED = {".py", ".typed", ".beancount", ".html", ".js"}
DEMO = {".beancount", ".csv", ".md"}

LEDGER = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0.0365 0.0730
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet     1000 USDC
  Assets:Bank                    -1000 USDC
2025-05-02 balance Assets:Backpack:Main:Wallet     1000.10000479 USDC
2025-05-02 custom "accrue-through" 2025-05-01
"""
# 1000 * ((1 + 0.0365/8760)**24 - 1) = 0.1000047920...


def run(*command: object, cwd: Path) -> str:
    """Return the standard output of a command that must succeed, away from the tree."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TMPDIR": str(cwd)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from the sdist, in a copy of the tree."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    for name in ("src", "plugins", "ledgers/demo"):
        left_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, tree / name, ignore=left_out)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tree / "dist", cwd=tree)
    return tree / "dist"


def tree_files(folder: str, package: str, kinds: set[str] = PACKAGED) -> set[str]:
    """Return the files of a folder of the tree, as they are named in a package."""
    top = ROOT / folder
    return {
        f"{package}/{path.relative_to(top).as_posix()}"
        for path in top.rglob("*")
        if path.suffix in kinds
    }


def test_the_wheel_holds_every_module_of_the_tree_and_nothing_else(built: Path) -> None:
    [wheel] = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    packed = {name for name in names if ".dist-info/" not in name}
    code = tree_files("src/usance", "usance") | tree_files("plugins", "usance/plugins")
    assert packed == code | tree_files("ledgers/demo", "usance/demo", DEMO)
    assert "usance/py.typed" in packed


def test_the_sdist_holds_what_the_wheel_is_built_from(built: Path) -> None:
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    sources = tree_files("src/usance", "src/usance") | tree_files("plugins", "plugins")
    sources |= tree_files("ledgers/demo", "ledgers/demo", DEMO)
    assert sources <= packed
    assert {"pyproject.toml", "README.md", "LICENSE"} <= packed


def test_the_version_is_stated_alike() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == usance.__version__
    assert f"## {usance.__version__}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_the_wheel_runs_a_ledger_away_from_the_tree(built: Path, tmp_path: Path) -> None:
    [wheel] = built.glob("*.whl")
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", environment, cwd=tmp_path)
    python = environment / "bin" / "python"
    offline = ("install", "--quiet", "--no-deps", "--no-index")
    run(sys.executable, "-m", "pip", "--python", python, *offline, wheel, cwd=tmp_path)
    purelib = Path(
        run(
            python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path
        ).strip()
    )
    # The dependencies of this environment, but not its editable usance: a path in a .pth file is
    # added without the .pth files that lie there.
    (purelib / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ledger = elsewhere / "main.beancount"
    ledger.write_text(LEDGER)
    where = run(
        python, "-c", "import usance.plugins; print(usance.plugins.__file__)", cwd=elsewhere
    )
    assert Path(where.strip()) == purelib / "usance" / "plugins" / "__init__.py"
    assert run(python, "-m", "beancount.scripts.check", ledger, cwd=elsewhere) == ""
    run(environment / "bin" / "usance", "check", ledger, cwd=elsewhere)
    run(environment / "bin" / "usance", "demo", elsewhere / "demo", cwd=elsewhere)
    written = {
        path.relative_to(elsewhere / "demo").as_posix(): path.read_bytes()
        for path in (elsewhere / "demo").rglob("*")
        if path.is_file()
    }
    assert written == {
        name.removeprefix("demo/"): (ROOT / "ledgers" / name).read_bytes()
        for name in tree_files("ledgers/demo", "demo", DEMO)
    }
    version = run(environment / "bin" / "usance", "--version", cwd=elsewhere)
    assert usance.__version__ in version
