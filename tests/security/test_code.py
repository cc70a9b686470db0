"""What our own code may not do, seen in its text: unpickle, trust a model's code, build shell lines, open a server."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import yaml
from emodistill.configfile import _Loader

from helpers import ROOT

FILES = sorted(path for folder in ("emodistill", "jobs", "scripts") for path in (ROOT / folder).rglob("*.py"))
# Modules that unpickle or run text, and those that serve.
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "code", "pty"}
SERVERS = {"http.server", "socketserver", "xmlrpc", "wsgiref", "flask", "uvicorn", "aiohttp", "fastapi"}
CALLS = {
    "eval", "exec", "os.system", "os.popen", "torch.load", "np.load", "numpy.load", "subprocess.getoutput",
    "tempfile.mktemp", "yaml.unsafe_load", "yaml.full_load", "create_subprocess_shell",
}  # fmt: skip


def name_of(node: ast.expr) -> str:
    return f"{name_of(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def faults(text: str) -> Iterator[str]:
    """What is not allowed, in words."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (f"imports {name}" for name in names if {name, name.split(".")[0]} & (MODULES | SERVERS))
        if isinstance(node, ast.Call):
            called, named = name_of(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
            if called in CALLS or called.split(".")[-1] in ("create_subprocess_shell", "listen"):
                yield f"calls {called}"
            if named.get("shell", "False") != "False" or named.get("trust_remote_code", "False") != "False":
                yield f"calls {called} with a shell, or a model's own code"
            if called == "yaml.load" and named.get("Loader") != "_Loader":
                yield "loads YAML with another loader"
            model = called.split(".")[0].startswith("Auto") and called.endswith("from_pretrained")
            if model and "trust_remote_code" not in named:
                yield f"calls {called} and leaves open whose code runs"
            if called.endswith(".bind") and "127.0.0.1" not in ast.unparse(node):
                yield f"{called} is not on loopback"


@pytest.mark.parametrize(
    "text",
    ["import pickle", "from http.server import HTTPServer", "torch.load(x)", "eval(x)", "run(x, shell=True)",
     "f(trust_remote_code=True)", "yaml.load(x)", "AutoModel.from_pretrained(x)", "s.bind(('', 0))", "s.listen()"],
)  # fmt: skip
def test_the_checker_sees_it(text):
    assert list(faults(text))


def test_nothing_of_it_is_in_our_code():
    assert len(FILES) > 150
    found = {str(path.relative_to(ROOT)): list(faults(path.read_text(encoding="utf-8"))) for path in FILES}
    assert {path: said for path, said in found.items() if said} == {}


def test_yaml_makes_plain_data_only():
    assert issubclass(_Loader, yaml.SafeLoader)
    for text in ("!!python/object/apply:os.getcwd []", "!!python/name:os.system", "!!python/module:os"):
        with pytest.raises(yaml.YAMLError):
            yaml.load(text, Loader=_Loader)


def test_shell_scripts_run_no_text_of_a_run():
    scripts = [path for path in (ROOT / "slurm").rglob("*") if path.suffix in (".sh", ".sbatch") and path.is_file()]
    assert len(scripts) > 3
    assert [str(path) for path in scripts if "eval " in Path(path).read_text()] == []
