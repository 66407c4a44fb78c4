"""Plugins in worker processes, and an installed package."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest

from polyframe.errors import PluginError
from polyframe.runtime.manifest import Manifest
from polyframe.runtime.plugins import Registry, load_worker

IDEA = """
import msgspec
from polyframe import PluginConfig, Strategy, WakeAt

class MyIdea(Strategy):
    class Config(PluginConfig):
        pause: int = 5

    class State(msgspec.Struct):
        seen: int = 0

    def on_wake(self, event, view):
        self.state.seen += 1
        yield WakeAt(event + self.config.pause)
"""


@pytest.fixture
def user_data(tmp_path: Path) -> Path:
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "my_idea.py").write_text(IDEA)
    return tmp_path


def step(strategy, event):
    """Runs in a worker: one call, and the object back."""
    return strategy, list(strategy.on_wake(event, None))


def test_an_instance_travels_to_a_spawned_worker_and_back(user_data):
    registry = Registry.load(user_data, entry_points=False, env={})
    cls = registry.get("strategy", "MyIdea")
    strategy = cls(cls.Config(pause=7))
    strategy.state = cls.State()
    manifest = pickle.loads(pickle.dumps(registry.manifest()))
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=load_worker, initargs=(manifest,)
    ) as pool:
        back, wishes = pool.submit(step, strategy, 100).result(60)
    assert type(back) is cls
    assert back.config == cls.Config(pause=7)
    assert back.state.seen == 1
    assert [wish.ts for wish in wishes] == [107]


def test_a_worker_refuses_a_file_that_changed(user_data):
    manifest = Registry.load(user_data, entry_points=False, env={}).manifest()
    file = user_data / "strategies" / "my_idea.py"
    file.write_text(IDEA + "\n# edited\n")
    with pytest.raises(PluginError, match=r"my_idea\.py changed since the run began"):
        Registry.from_manifest(manifest)
    with (
        ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=load_worker, initargs=(manifest,)
        ) as pool,
        pytest.raises(BrokenProcessPool),
    ):
        pool.submit(int, 1).result(60)
    file.unlink()
    with pytest.raises(PluginError, match="is gone"):
        Registry.from_manifest(manifest)


def test_a_manifest_rebuilds_the_same_registry(user_data):
    registry = Registry.load(user_data, entry_points=False, env={})
    again = Registry.from_manifest(registry.manifest())
    assert again.manifest() == registry.manifest()


def test_the_digest_follows_the_code_and_not_the_place(user_data, tmp_path_factory):
    def digest(root: Path) -> str:
        return Registry.load(root, entry_points=False, env={}).manifest().digest()

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(user_data, elsewhere, dirs_exist_ok=True)
    assert digest(user_data) == digest(elsewhere)
    (elsewhere / "strategies" / "my_idea.py").write_text(IDEA + "\n# edited\n")
    assert digest(user_data) != digest(elsewhere)


def test_a_manifest_can_be_cut_to_what_a_run_uses(user_data):
    manifest = Registry.load(user_data, entry_points=False, env={}).manifest()
    part = manifest.only({("strategy", "MyIdea")})
    assert [entry.name for entry in part.entries if entry.kind == "strategy"] == ["MyIdea"]
    other = Manifest(tuple(replace(e, sha256="0" * 64) for e in part.entries))
    assert other.digest() != part.digest()


TOY = Path(__file__).parents[1] / "plugins" / "toy-package"
LOOK = """
import json, sys
from polyframe.runtime.plugins import Registry
registry = Registry.load()
manifest = registry.manifest()
again = Registry.from_manifest(manifest)
registry.hooks.hook.register_sizers()
print(json.dumps({
    "broken": [b.error for b in registry.broken if b.origin.kind == "package"],
    "toy": sorted((r.kind, r.name, r.origin.kind, r.origin.label, r.origin.version)
                  for r in registry.all() if r.origin.kind == "package"),
    "hooks": list(registry.hook_modules),
    "same": again.manifest() == manifest,
}))
"""


def install(source: Path, target: Path) -> None:
    """A real installation from a real build, without touching this environment."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--disable-pip-version-check", "--target", str(target)]
    subprocess.run([*command, str(source)], check=True, capture_output=True, timeout=120)


def test_an_installed_package_is_found_by_its_entry_point(tmp_path):
    pytest.importorskip("hatchling", reason="building the package needs hatchling")
    source = tmp_path / "source"
    shutil.copytree(TOY, source)
    install(source, tmp_path / "site")
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run(
        [sys.executable, "-c", LOOK], env=env, capture_output=True, text=True, check=True
    )
    seen = json.loads(done.stdout)
    label = ["package", "polyframe-toy==0.3.1", "0.3.1"]
    assert seen["broken"] == []
    assert ["strategy", "ToyStrategy", *label] in seen["toy"]
    assert ["sizer", "Registered", *label] in seen["toy"]
    assert seen["hooks"] == ["polyframe_toy"]
    assert seen["same"]

    env["POLYFRAME_PLUGINS"] = ""
    done = subprocess.run(
        [sys.executable, "-c", LOOK], env=env, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["toy"] == []
