"""Failed writes, caused by the operating system: one line, and no data is lost."""

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

from dinogen.checkpoint import load_checkpoint
from tests.cli.conftest import snapshot
from tests.cli.test_signals import ENDLESS, running, wait_for_line
from tests.conftest import command, environment, from_scratch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

SHORT = ("--steps", "3", "--hidden", "8", "--seed", "1", "-q")
SAVING_OFTEN = """
import sys
from dinogen.cli import Autosave, run_command
sys.modules[Autosave.__module__].SAVE_EVERY = 0.1
run_command()
"""
"""The command, which saves ten times a second."""

FILE_CAPABILITIES = range(6)
"""The capabilities of Linux that ignore file permissions and owners."""


def drop_privileges() -> None:
    """Drop the capabilities of root in a child process."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in FILE_CAPABILITIES:
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def limit_file_size(size: int) -> Callable[[], None]:
    """Return a function that limits the size of the files that a child process writes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def run_unprivileged(*args: str | Path, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """Run the command without the capabilities of root."""
    return subprocess.run(
        command(*args),
        capture_output=True,
        cwd=cwd,
        env=environment(),
        check=False,
        timeout=60,
        preexec_fn=drop_privileges,
    )


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(tmp_path: Path, edda_checkpoint: Path) -> Path:
    """A folder with a checkpoint."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "model.npz").write_bytes(edda_checkpoint.read_bytes())
    return folder


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str, Path], None]]:
    """Mount a small disk on a folder, or remount it with other options."""
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
    edda: Path, output: Path | str, elsewhere: Path, before: Callable[[], None] | None = None
) -> str:
    """Run a training that must fail, and return its only line."""
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
    """Fill a disk."""
    with (folder / "filling").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 1024)


def saved_elsewhere(line: str, elsewhere: Path) -> Path:
    """Return the path in a message; its file is the only one in the temporary folder."""
    path = Path(line.rstrip("\n").rpartition("the model is saved in ")[2])
    assert [file for file in snapshot(elsewhere) if file.is_file()] == [path]
    return path


@pytest.mark.parametrize("earlier", [True, False])
def test_full_disk(
    earlier: bool, edda: Path, folder: Path, elsewhere: Path, mount: Callable[[str, Path], None]
) -> None:
    """On a full disk the old checkpoint stays, and the new one is saved elsewhere."""
    checkpoint = (folder / "model.npz").read_bytes()
    mount("size=512k", folder)
    if earlier:
        (folder / "model.npz").write_bytes(checkpoint)
    fill(folder)
    before = snapshot(folder)
    line = train(edda, folder / "model.npz", elsewhere)
    assert "no space left on device" in line
    assert snapshot(folder) == before
    assert load_checkpoint(saved_elsewhere(line, elsewhere)).training.steps == 3


def test_disk_full_for_a_while(
    edda: Path, folder: Path, tmp_path: Path, mount: Callable[[str, Path], None]
) -> None:
    """A run that cannot autosave says so, continues, and saves when there is space again."""
    mount("size=512k", folder)
    fill(folder)
    output = folder / "model.npz"
    args = from_scratch(["train", edda, "-o", output, *ENDLESS])
    with running(sys.executable, "-c", SAVING_OFTEN, *args, cwd=tmp_path) as process:
        assert process.stderr
        assert any("no space left on device" in line for line in process.stderr)
        (folder / "filling").unlink()
        while not output.exists():
            assert process.poll() is None
        first = load_checkpoint(output).training.steps
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert load_checkpoint(output).training.steps >= first


@pytest.mark.parametrize("size", [1, 5_000])
def test_file_too_large(size: int, edda: Path, folder: Path, elsewhere: Path) -> None:
    """If the file is too large for the system, no file is changed and none is left."""
    before = snapshot(folder)
    line = train(edda, folder / "model.npz", elsewhere, limit_file_size(size))
    assert "file too large" in line
    assert snapshot(folder) == before
    assert snapshot(elsewhere) == {}


def read_only(folder: Path) -> None:
    """Make a folder read-only."""
    folder.chmod(0o555)


def owned_by_others(folder: Path) -> None:
    """Give a folder to another user."""
    if os.geteuid():
        pytest.skip("only root can give files away")
    os.chown(folder, 65534, 65534)


@pytest.mark.parametrize("forbid", [read_only, owned_by_others])
def test_no_permission(
    forbid: Callable[[Path], None], edda: Path, folder: Path, elsewhere: Path
) -> None:
    """Without permission to write, the command fails before training."""
    forbid(folder)
    before = snapshot(folder)
    assert "permission denied" in train(edda, folder / "model.npz", elsewhere, drop_privileges)
    assert snapshot(folder) == before
    assert snapshot(elsewhere) == {}


def test_read_only_disk(
    edda: Path, folder: Path, elsewhere: Path, mount: Callable[[str, Path], None]
) -> None:
    """On a read-only disk, the command fails before training."""
    mount("ro", folder)
    assert "read-only file system" in train(edda, folder / "model.npz", elsewhere)
    assert snapshot(elsewhere) == {}


def test_directory_removed_during_training(
    edda: Path, folder: Path, tmp_path: Path, elsewhere: Path
) -> None:
    """If the folder is gone at the end, the message says so and has the path of the model."""
    args = ("train", edda, "-o", folder / "new.npz", *ENDLESS)
    with running(*command(*args), cwd=tmp_path, TMPDIR=str(elsewhere)) as process:
        wait_for_line(process)
        shutil.rmtree(folder)
        process.send_signal(signal.SIGINT)
        _, printed = process.communicate(timeout=30)
    assert process.returncode == 1
    *_, line = printed.splitlines()
    assert line.startswith(f"dinogen: {folder / 'new.npz'}: there is no directory {folder}")
    assert load_checkpoint(saved_elsewhere(line, elsewhere)).training.interrupted
    assert not folder.exists()


@pytest.mark.parametrize("place", ["/dev/null", "/dev/full", "pipe", "folder", "loop", "new/"])
def test_not_a_plain_file(place: str, edda: Path, folder: Path, elsewhere: Path) -> None:
    """A device, a pipe, a directory and a circular link are refused before training."""
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    before = sorted(folder.iterdir())
    train(edda, f"{folder}/{place}" if place.endswith("/") else folder / place, elsewhere)
    assert sorted(folder.iterdir()) == before
    assert snapshot(elsewhere) == {}
    assert stat.S_ISFIFO((folder / "pipe").stat().st_mode)


@pytest.mark.parametrize("forbid", [read_only, owned_by_others])
def test_sampling_writes_no_file(forbid: Callable[[Path], None], folder: Path) -> None:
    """``sample`` and ``inspect`` work in a folder that cannot be written."""
    forbid(folder)
    before = snapshot(folder)
    for args in (["sample", "model.npz", "--n", "3"], ["inspect", "model.npz"]):
        done = run_unprivileged(*args, cwd=folder)
        assert done.returncode == 0
        assert done.stdout.count(b"\n") >= 3
    assert snapshot(folder) == before


def test_unreadable_files(edda: Path, folder: Path, elsewhere: Path) -> None:
    """A list and a checkpoint without permission to read are refused in one line."""
    for path in (edda, folder / "model.npz"):
        path.chmod(0)
    for name, path in (("train", edda), ("sample", folder / "model.npz")):
        done = run_unprivileged(name, path, cwd=elsewhere)
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr == f"dinogen: {path}: permission denied; check the path\n".encode()
