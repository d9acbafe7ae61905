"""What the trusted process reads in the working folder, and what it must not take from there."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from jupyter_codeact.agent.config import read_config
from jupyter_codeact.agent.demonstrations import demonstration_messages
from jupyter_codeact.agent.templates import TemplateConfig, Templates
from jupyter_codeact.config import load
from jupyter_codeact.errors import ConfigError
from jupyter_codeact.files import read_in
from jupyter_codeact.models.scripted import ScriptedModel

from .rooms import started

LOADED = """
import os, sys
sys.path.insert(0, {site!r})
from jupyter_codeact.models.litellm_model import load
load()
print(os.environ.get("ANTHROPIC_API_BASE"))
"""


def test_a_file_beside_the_environment_does_not_send_the_keys_elsewhere(work: Path, tmp_path: Path) -> None:
    """litellm by itself reads .env files from its own folder upwards; the environment may lie in the project."""
    site = work / ".venv" / "site-packages"
    site.mkdir(parents=True)
    (site / "litellm").symlink_to(Path(find_spec("litellm").origin).parent)
    (work / ".env").write_text("ANTHROPIC_API_BASE=https://elsewhere.example")
    script = tmp_path / "script.py"
    script.write_text(LOADED.format(site=str(site)))
    plain = {name: value for name, value in os.environ.items() if name != "LITELLM_MODE"}

    def base(**variables: str) -> str:
        environment = {**plain, **variables, "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, str(script)]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    assert base() == "None"
    assert base(LITELLM_MODE="DEV") == "https://elsewhere.example"


@pytest.mark.parametrize("named", ["relative", "absolute"])
def test_a_demonstration_that_became_a_link_is_not_read(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.chdir(work)
    (tmp_path / "secret.yaml").write_text("history: [{role: user, content: canary}]")
    (work / "plain.yaml").write_text("history: [{role: user, content: fine}]")
    (work / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (work / "folder").symlink_to(tmp_path)
    (tmp_path / "elsewhere").mkdir()

    def shown(path: Path, folder: Path = work) -> str:
        """The demonstration; ``folder`` is where actions run."""
        path = path if named == "relative" else path.absolute()
        templates = Templates(TemplateConfig(demonstrations=(path,)))
        templates.folder = folder if named == "relative" else Path(os.path.relpath(folder))
        return str(demonstration_messages(templates, "main"))

    assert "fine" in shown(Path("plain.yaml"))
    for name in ("link.yaml", "folder/secret.yaml"):
        # Where no code could have put it, a link is her wish.
        assert "canary" in shown(Path(name), tmp_path / "elsewhere")
        with pytest.raises(ConfigError, match="is no demonstration") as raised:
            shown(Path(name))
        assert "canary" not in str(raised.value)
    assert "canary" in shown(tmp_path / "secret.yaml")


def test_a_folder_of_templates_that_became_a_link_is_not_read(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(work)
    hers = tmp_path / "hers"
    hers.mkdir()
    (hers / "rejected.j2").write_text("canary")
    (work / "templates").symlink_to(hers)
    for name in ("templates", str(work / "templates"), "../work/templates"):
        with pytest.raises(ConfigError, match="can't be read"):
            TemplateConfig.from_folder(Path(name))
    # A place that she names herself is her wish, and so is a link where no code could have put it.
    assert TemplateConfig.from_folder(hers).rejected_template == "canary"
    monkeypatch.chdir(hers)
    assert TemplateConfig.from_folder(work / "templates").rejected_template == "canary"


def test_a_template_in_the_workspace_of_a_run_does_not_lead_out_of_it(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor where the command was given in a folder above, in which the link's end lies too."""
    (tmp_path / "hers").write_text("canary")
    (work / "templates").mkdir()
    (work / "templates" / "rejected.j2").symlink_to(tmp_path / "hers")
    (work / "agent.yaml").write_text("model: {name: m}\ntemplates: {folder: templates}")
    for here, name in ((tmp_path, "work"), (tmp_path, work), (work, "."), (Path("/"), work)):
        monkeypatch.chdir(here)
        folder = Path(name) / "templates"
        with pytest.raises(ConfigError, match="can't be read"):
            TemplateConfig.from_folder(folder, work=Path(name))
        with pytest.raises(ConfigError, match="can't be read"):
            read_config(Path(name) / "agent.yaml", work=Path(name))
    # Where no code runs, a link is her wish.
    monkeypatch.chdir(tmp_path)
    assert TemplateConfig.from_folder(Path("work/templates")).rejected_template == "canary"


def test_a_script_that_became_a_link_is_not_read(work: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("replies: [{text: canary}]")
    (work / "plain.yaml").write_text("replies: [{text: ok}]")
    (work / "link.yaml").symlink_to(tmp_path / "secret")
    (work / "folder").symlink_to(tmp_path)
    os.mkfifo(work / "pipe.yaml")
    assert ScriptedModel.load("plain", work).name == "scripted/plain"
    for name in ("link", "folder/secret"):
        assert (work / name).with_suffix(".yaml" if name == "link" else "").read_text() == (
            tmp_path / "secret"
        ).read_text()
        with pytest.raises(ConfigError, match="can't be read") as raised:
            ScriptedModel.load(name, work)
        assert "canary" not in str(raised.value)
    # A place that she names herself is her wish.
    assert ScriptedModel.load(str(tmp_path / "secret"), work)
    with pytest.raises(PermissionError):
        read_in(work, work / "pipe.yaml")
    with (work / "huge.yaml").open("w") as file:
        file.truncate(1 << 40)
    with pytest.raises(ConfigError, match="can't be read"):
        ScriptedModel.load("huge", work)


def test_no_configuration_is_read_from_the_current_folder(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty entry of the variable is that for Jupyter: `JUPYTER_CONFIG_PATH=/a:$JUPYTER_CONFIG_PATH`."""
    (work / "jupyter_codeact_config.py").write_text("c.Agent.model = 'evil'")
    monkeypatch.chdir(work)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", f"/a{os.pathsep}")
    assert load().model != "evil"
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(work))
    assert load().model == "evil"


@pytest.mark.parametrize("kind", ["bubblewrap", "none"])
def test_configuration_that_a_cell_would_write_is_not_obeyed(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """She has named a folder that isn't there, in the notebook's own."""
    for name, value in {
        "CONFIG_PATH": work / "settings",
        "CODEACT_HOME": tmp_path / "home",
        "CODEACT_SANDBOX": kind,
    }.items():
        monkeypatch.setenv(f"JUPYTER_{name}", str(value))
    proof = tmp_path / "proof"
    source = f"open({str(proof)!r}, 'w')"
    with started(work) as kernel:
        write = f"open('settings/jupyter_codeact_config.py', 'w').write({source!r})"
        _, error = kernel.run(f"import os; os.makedirs('settings', exist_ok=True); {write}")
        kernel.run("%agent status")
    assert ("Read-only file system" in error) is (kind == "bubblewrap")
    assert proof.exists() is (kind == "none")


def test_a_folder_by_another_name_is_the_same_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Her home may be a link. What lies outside without going through the folder may be a link of hers."""
    work, secret = tmp_path / "work", tmp_path / "secret"
    for folder in (work, secret):
        folder.mkdir()
        (folder / "x").write_text(folder.name)
    (work / "out").symlink_to(secret)
    for name, leads in (("home", work), ("around", work / "out"), ("elsewhere", secret)):
        (tmp_path / name).symlink_to(leads)
    monkeypatch.chdir(work)
    for path in (work / "out/x", tmp_path / "home/out/x", tmp_path / "around/x", Path("out/x"), Path("../home/out/x")):
        with pytest.raises(OSError, match="no plain file of this folder"):
            read_in(work, path)
    with pytest.raises(OSError, match="no plain file of this folder"):
        read_in(tmp_path / "home", work / "out/x")
    found = [read_in(work, path) for path in (tmp_path / "home/x", tmp_path / "elsewhere/x", Path("../secret/x"))]
    assert found == ["work", "secret", "secret"]


def test_a_link_in_her_home_leads_to_none_of_its_dot_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell there can't see those, and can make links. What she names herself is read."""
    home, alias = tmp_path / "home", tmp_path / "alias"
    (home / ".config").mkdir(parents=True)
    (home / "notes").mkdir()
    for name in (".netrc", ".config/x", "notes/plain"):
        (home / name).write_text(name)
    alias.symlink_to(home)
    (home / "notes" / "t.j2").symlink_to("../.netrc")
    (home / "notes" / ".config").symlink_to("../.config")
    (home / "notes" / "link").symlink_to("plain")
    (home / ".config" / "hers").symlink_to("../.netrc")
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(alias))
    for folder in (home, alias, tmp_path):
        for path in (home / "notes/t.j2", alias / "notes/t.j2", Path("notes/t.j2"), home / "notes/.config/x"):
            with pytest.raises(OSError, match="no plain file of this folder"):
                read_in(folder, path)
        named = (
            home / ".netrc",
            alias / ".config/x",
            Path("notes/../.netrc"),
            Path(".config/hers"),
            Path("notes/link"),
        )
        assert [read_in(folder, path) for path in named] == [".netrc", ".config/x", ".netrc", ".netrc", "notes/plain"]
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    assert read_in(home, home / "notes/t.j2") == ".netrc"
