"""Every package that the suite asks for is told in docs/dependencies.md, and pinned for the demo."""

import re
from configparser import ConfigParser

from helpers import ROOT

PEERS = {"scipy", "trl"}  # of the benchmarks; no part of the demo


def asked() -> set[str]:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = [setup["options"]["install_requires"], *setup["options.extras_require"].values()]
    return set(re.findall(r"^([\w-]+)\s*[>=]=", "\n".join(lines), re.MULTILINE))


def test_each_has_a_reason_and_a_pin():
    told = set(re.findall(r"`([\w-]+)`", (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")))
    pins = (ROOT / "requirements" / "cpu.txt").read_text(encoding="utf-8")
    pinned = {name.lower().replace("_", "-") for name in re.findall(r"^([\w.-]+)==", pins, re.MULTILINE)}
    assert asked() >= {"h5py", "isal", "vllm", "pytest"} and asked() <= told
    assert {name.lower() for name in asked() - PEERS - {"vllm"}} <= pinned
