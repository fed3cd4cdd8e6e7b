"""The wheel: the package, its type marker and its checkpoint, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.conftest import ROOT


def test_the_wheel_has_the_package_and_nothing_else(tmp_path: Path) -> None:
    """A wheel that is built from the checkout has every module, py.typed and both checkpoints."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        package = {name for name in archive.namelist() if ".dist-info/" not in name}
        info = {name.split("/", 1)[1] for name in archive.namelist() if ".dist-info/" in name}
    source = ROOT / "src"
    modules = {path.relative_to(source).as_posix() for path in source.rglob("*.py")}
    pretrained = {"dinosaurs.npz", "base.npz", "NOTICE.md"}
    others = {"dinogen/py.typed", *(f"dinogen/pretrained/{name}" for name in pretrained)}
    assert package == modules | others
    licenses = {"licenses/LICENSE", "licenses/src/dinogen/pretrained/NOTICE.md"}
    assert info == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", *licenses}
