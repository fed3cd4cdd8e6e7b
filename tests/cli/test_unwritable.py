"""Where a checkpoint cannot be written, by the system's own word: one line, and nothing is lost."""

import ctypes
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dinogen import load
from tests.cli.conftest import snapshot
from tests.cli.test_interrupts import ENDLESS, running, until_line
from tests.conftest import command, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="harm is done by Linux's means")

SHORT = ("--steps", "3", "--hidden", "8", "--seed", "1", "-q")
HASTY = """
import dinogen.cli.keeping as keeping
keeping.SAVE_EVERY = 0.1
from dinogen.cli import main
main()
"""
"""The command, which saves all the time."""

OVERRIDES = range(6)
"""The privileges to pass over who may read and write what, and who owns it."""


def unprivileged() -> None:
    """Give up, in a child before it is the command, what makes root more than any other user."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in OVERRIDES:
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def files_of_at_most(size: int) -> Callable[[], None]:
    """Let no file that a child writes grow beyond a size."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def run_unprivileged(*args: str | Path, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a user who is like any other."""
    return subprocess.run(
        command(*args),
        capture_output=True,
        cwd=cwd,
        env=environment(),
        check=False,
        timeout=60,
        preexec_fn=unprivileged,
    )


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(tmp_path: Path, edda_checkpoint: Path) -> Path:
    """A folder with a checkpoint in it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "model.npz").write_bytes(edda_checkpoint.read_bytes())
    return folder


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str, Path], None]]:
    """Put a small disk in the place of a folder, or mount it anew with other options."""
    mounted: list[Path] = []

    def mount(options: str, folder: Path) -> None:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "none", folder],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip("disks cannot be mounted here")
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


def train(
    edda: Path, output: Path, elsewhere: Path, before: Callable[[], None] | None = None
) -> str:
    """Train in vain; what the one line says."""
    done = subprocess.run(
        command("train", edda, "-o", output, *SHORT, "--force"),
        capture_output=True,
        check=False,
        timeout=60,
        env=environment() | {"TMPDIR": str(elsewhere)},
        preexec_fn=before,
    )
    line = done.stderr.decode()
    assert (done.returncode, done.stdout, line.count("\n")) == (1, b"", 1), line
    assert line.startswith(f"dinogen: {output}: ")
    return line


def fill(folder: Path) -> None:
    """Write to a disk until it is full."""
    with (folder / "filling").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 1024)


def rescued(line: str, elsewhere: Path) -> Path:
    """Find what a line says was rescued; it is all there is elsewhere."""
    path = Path(line.rstrip("\n").rpartition("what was learned is in ")[2])
    assert [file for file in snapshot(elsewhere) if file.is_file()] == [path]
    return path


@pytest.mark.parametrize("earlier", [True, False])
def test_full_disk(
    earlier: bool, edda: Path, folder: Path, elsewhere: Path, mount: Callable[[str, Path], None]
) -> None:
    """On a full disk the checkpoint of before stays, and the new one is where there is room."""
    checkpoint = (folder / "model.npz").read_bytes()
    mount("size=512k", folder)
    if earlier:
        (folder / "model.npz").write_bytes(checkpoint)
    fill(folder)
    before = snapshot(folder)
    line = train(edda, folder / "model.npz", elsewhere)
    assert "no space left on device" in line
    assert snapshot(folder) == before
    assert load(rescued(line, elsewhere)).training.steps == 3


def test_disk_full_for_a_while(
    edda: Path, folder: Path, tmp_path: Path, mount: Callable[[str, Path], None]
) -> None:
    """A run that cannot save on its way says so, goes on, and saves when there is room again."""
    mount("size=512k", folder)
    fill(folder)
    output = folder / "model.npz"
    program = (sys.executable, "-c", HASTY, "train", edda, "-o", output, *ENDLESS)
    with running(*program, cwd=tmp_path) as process:
        assert process.stderr
        assert any("no space left on device" in line for line in process.stderr)
        (folder / "filling").unlink()
        while not output.exists():
            assert process.poll() is None
        first = load(output).training.steps
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert load(output).training.steps >= first


@pytest.mark.parametrize("size", [1, 5_000])
def test_file_too_large(size: int, edda: Path, folder: Path, elsewhere: Path) -> None:
    """Where no file may be as large as that, nothing is changed, and nothing is left anywhere."""
    before = snapshot(folder)
    line = train(edda, folder / "model.npz", elsewhere, files_of_at_most(size))
    assert "file too large" in line
    assert snapshot(folder) == before
    assert snapshot(elsewhere) == {}


def read_only(folder: Path) -> None:
    """Let nobody write to a folder."""
    folder.chmod(0o555)


def of_others(folder: Path) -> None:
    """Give a folder to somebody else, where that can be done."""
    if os.geteuid():
        pytest.skip("nothing can be given away")
    os.chown(folder, 65534, 65534)


@pytest.mark.parametrize("forbid", [read_only, of_others])
def test_no_permission(
    forbid: Callable[[Path], None], edda: Path, folder: Path, elsewhere: Path
) -> None:
    """Where a user may not write, it is said before any work is done."""
    forbid(folder)
    before = snapshot(folder)
    assert "permission denied" in train(edda, folder / "model.npz", elsewhere, unprivileged)
    assert snapshot(folder) == before
    assert snapshot(elsewhere) == {}


def test_read_only_disk(
    edda: Path, folder: Path, elsewhere: Path, mount: Callable[[str, Path], None]
) -> None:
    """A disk that cannot be written to at all is refused before any work is done."""
    mount("ro", folder)
    assert "read-only file system" in train(edda, folder / "model.npz", elsewhere)
    assert snapshot(elsewhere) == {}


def test_directory_removed_meanwhile(
    edda: Path, folder: Path, tmp_path: Path, elsewhere: Path
) -> None:
    """A run whose folder is gone at its end says so, and where to find what was learned."""
    args = ("train", edda, "-o", folder / "new.npz", *ENDLESS)
    with running(*command(*args), cwd=tmp_path, TMPDIR=str(elsewhere)) as process:
        until_line(process)
        shutil.rmtree(folder)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    *_, line = said.splitlines()
    assert line.startswith(f"dinogen: {folder / 'new.npz'}: there is no directory {folder}")
    assert load(rescued(line, elsewhere)).training.interrupted
    assert not folder.exists()


@pytest.mark.parametrize("place", ["/dev/null", "/dev/full", "pipe", "folder", "loop"])
def test_no_plain_file(place: str, edda: Path, folder: Path, elsewhere: Path) -> None:
    """A device, a pipe, a directory and a link to itself are refused before any work is done."""
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    before = sorted(folder.iterdir())
    train(edda, folder / place, elsewhere)
    assert sorted(folder.iterdir()) == before
    assert snapshot(elsewhere) == {}
    assert stat.S_ISFIFO((folder / "pipe").stat().st_mode)


@pytest.mark.parametrize("forbid", [read_only, of_others])
def test_names_need_no_place(forbid: Callable[[Path], None], folder: Path) -> None:
    """Names are written, and a model is looked into, where nobody may write anything."""
    forbid(folder)
    before = snapshot(folder)
    for args in (["sample", "model.npz", "--n", "3"], ["inspect", "model.npz"]):
        done = run_unprivileged(*args, cwd=folder)
        assert done.returncode == 0
        assert done.stdout.count(b"\n") >= 3
    assert snapshot(folder) == before


def test_what_may_not_be_read(edda: Path, folder: Path, elsewhere: Path) -> None:
    """A list and a checkpoint that a user may not read are refused in one line."""
    for path in (edda, folder / "model.npz"):
        path.chmod(0)
    for name, path in (("train", edda), ("sample", folder / "model.npz")):
        done = run_unprivileged(name, path, cwd=elsewhere)
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr == f"dinogen: {path}: permission denied; check the path\n".encode()
