#!/usr/bin/env bash
# Make sure that Chromium and its driver are here, which the tests of report.html drive: Debian's packages.
# Exit codes: 0 here; 1 could not be installed; 2 this machine cannot have them so.
set -euo pipefail
if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then exit 0; fi
if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
  echo "Chromium is not here, and installing it needs root and apt-get. On Debian: apt install chromium chromium-driver." >&2
  exit 2
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# One at a time: the Slurm half of the tests installs its packages too, and a list that is being fetched is no list.
apt() { DEBIAN_FRONTEND=noninteractive flock /var/lib/apt apt-get --yes --quiet -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1; }
echo "Installing chromium and chromium-driver (a minute or two)" >&2
apt update || true # a dead third-party source need not matter: the installation will tell
if ! apt install --no-install-recommends --no-remove chromium chromium-driver; then
  tail -n 5 "$log" >&2
  echo "apt-get could not install chromium and chromium-driver (see above)." >&2
  exit 1
fi
