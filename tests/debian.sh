#!/usr/bin/env bash
# What the tests need of the system and no wheel brings: SoftHSM, a token in software.
# Called by `make test`; as root, or by sudo where it asks for no password. Nothing is done
# when it is there.
set -euo pipefail

packages=(softhsm2)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
        echo "the tests need: apt-get install ${missing[*]} (run it as root, then make test again)" >&2
        exit 1
    fi
    as_root=(sudo -n)
fi
echo "installing what the tests need of the system: ${missing[*]} ..." >&2
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get -qq update
"${as_root[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
