"""The explorer as a folder: complete, from sources or from an installed package, and run without a network."""

import sys
import venv
import zipfile
from importlib import metadata

import pytest

from lightning_module.cli import main
from lightning_module.explorer import space


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("space") / "explorer"
    assert main(["explore", "--export", str(target)]) == 0
    return target


def test_the_folder_has_what_a_space_needs(folder):
    (wheel,) = folder.glob("*.whl")
    assert {path.name for path in folder.iterdir()} == {
        *("app.py", "README.md", "Dockerfile", "requirements.txt", wheel.name)
    }
    assert (folder / "requirements.txt").read_text() == f"./{wheel.name}[explorer]\n"
    head = (folder / "README.md").read_text().split("---")[1]
    assert "sdk: docker" in head
    assert "app_port: 7860" in head
    compile((folder / "app.py").read_text(), "app.py", "exec")
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("page.js", "page.css", "limits.json", "space_files/app.py.txt"):
        assert f"lightning_module/explorer/{name}" in names


def test_a_folder_with_something_in_it_is_refused(folder, capsys):
    assert main(["explore", "--export", str(folder)]) == 2
    assert "is not empty; name another folder" in capsys.readouterr().err


def test_an_installed_package_becomes_the_wheel_that_it_came_from(folder, tmp_path):
    """Installed as pip does it, by files and a list of them; then packed anew."""
    (wheel,) = folder.glob("*.whl")
    home = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(home)
        before = {name: archive.read(name) for name in archive.namelist()}
    (installed,) = metadata.distributions(path=[str(home)])
    again = space._repacked(installed, tmp_path)
    assert again.name == wheel.name
    with zipfile.ZipFile(again) as archive:
        after = {name: archive.read(name) for name in archive.namelist()}
    record = next(name for name in before if name.endswith("RECORD"))
    assert {**after, record: b""} == {**before, record: b""}
    assert sorted(after[record].decode().splitlines()) == sorted(before[record].decode().splitlines())


@pytest.mark.docs
def test_the_wheel_serves_the_page_from_its_own_folder_without_a_network(folder, tmp_path):
    """In an environment of its own that has this one's libraries, and this package from the wheel alone."""
    from explorers import Explorer

    home = tmp_path / "environment"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    (site,) = home.glob("lib/python3*/site-packages")
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        archive.extractall(site)
    # This environment's libraries behind it, without its path to the sources.
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    (site / "zz_libraries.pth").write_text("\n".join(libraries) + "\n")
    (site / "sitecustomize.py").write_text(
        "import socket\n"
        "connect = socket.socket.connect\n"
        "def guarded(self, address):\n"
        "    if self.family != socket.AF_UNIX and address[0] not in ('127.0.0.1', '::1', 'localhost'):\n"
        "        raise OSError(f'no network: {address}')\n"
        "    return connect(self, address)\n"
        "socket.socket.connect = guarded\n"
    )
    port = {"GRADIO_SERVER_PORT": "0"}
    served = Explorer(tmp_path / "served", program=[str(python), str(folder / "app.py")], environment=port)
    try:
        import urllib.request

        assert b"m1-panel" in urllib.request.urlopen(served.url, timeout=20).read()
    finally:
        seconds, status, said = served.stop()
    assert not [path for path in (tmp_path / "served").rglob("*") if path.name.startswith("mnist1d")]
    assert (status, said) == (130, "stopped; the page is closed, and nothing is left of it\n"), seconds
