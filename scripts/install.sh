#!/usr/bin/env bash
# Make .venv hold exactly requirements/cpu.txt and this project. Safe to run again after any failure: the stamp comes last.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.venv
stamp=$venv/.installed
python=${PYTHON:-python3}
wanted=$(cat requirements/cpu.txt setup.cfg scripts/install.sh | sha256sum | cut -d' ' -f1)

say() { printf 'install: %s\n' "$*" >&2; }
die() { printf 'install: %s\n' "$*" >&2; exit 2; }

if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && "$venv/bin/emodistill" --version >/dev/null 2>&1; then
    exit 0
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    die "Python 3.11 or newer is needed, and '$python' is not one. Install it, or name one: make PYTHON=python3.12 install."
free_kb=$(df -Pk . | awk 'NR==2 {print $4}')
[ "$free_kb" -gt 8000000 ] || [ -f "$stamp" ] ||
    die "only $((free_kb / 1000)) MB are free here; the packages need about 4 GB and their download as much again for a moment."
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    rm -rf "$venv" # absent, or left half-made by an earlier attempt
    "$python" -m venv "$venv" || die "'$python -m venv' failed. On Debian: apt install python3-venv."
fi
rm -f "$stamp"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check -qq "$@"; } # -qq: errors only

# torch's CPU build has a local version (+cpu) that PyPI does not carry. Ask the configured indexes first; elsewhere uv knows
# where PyTorch keeps it.
torch=$(grep '^torch==' requirements/cpu.txt)
say "downloading and installing the pinned packages into $venv: about 4 GB, some minutes"
if ! pip install --no-deps "$torch"; then
    say "$torch is not on the configured package indexes; asking PyTorch's CPU index through uv"
    pip install uv || die "neither $torch nor uv could be installed. Check the network and pip's index settings."
    "$venv/bin/uv" pip install --python "$venv/bin/python" --no-deps --torch-backend cpu "$torch" ||
        die "$torch could not be installed. Check the network and pip's index settings."
fi
pip install --no-deps -r requirements/cpu.txt || die "pip could not install requirements/cpu.txt (see above). Mend that and run make again."
pip uninstall --yes torchvision torchaudio torchcodec 2>/dev/null || true
pip install --no-deps --no-build-isolation -e . || die "this project could not be installed into $venv (see above)."
say "checking that the parts import together"
"$venv/bin/python" -c 'import torch, transformers, peft, deepspeed, vllm, h5py, submitit' >/dev/null 2>"$venv/import.log" || {
    tail -n 5 "$venv/import.log" >&2
    die "the installed parts do not import together (see above). Delete $venv and run make again."
}
printf '%s' "$wanted" >"$stamp"
