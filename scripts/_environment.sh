# Sourced by the other scripts: makes the project's environment in .venv, once, and says what it does.
# Usage: need_environment EXTRA[,EXTRA...]     (extras of pyproject.toml, e.g. torch,train,dev)
# Afterwards $PYTHON is the environment's interpreter and $ROOT the checkout.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="$ROOT/.venv"
PYTHON="$VENV/bin/python"

say() { printf '%s\n' "-- $*" >&2; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else fail "This step needs root: $*. Run it yourself, or install sudo, then start again."
  fi
}

install_system_packages() {
  command -v apt-get >/dev/null || fail "Needed: $*. This is not Debian or Ubuntu; install them with your system's package manager, then start again."
  say "Installing system packages: $*"
  as_root apt-get update -qq >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

find_python() {
  local name
  for name in python3 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
      command -v "$name"; return
    fi
  done
}

make_venv() {
  local base version
  base="$(find_python)"
  if [ -z "$base" ]; then
    install_system_packages python3 python3-venv
    base="$(find_python)"
  fi
  [ -n "$base" ] || fail "Python 3.11 to 3.13 is needed and was not found (found: $(python3 --version 2>&1)). Install python3.11 or newer, then start again."
  say "Making the environment .venv with $("$base" --version)"
  if ! "$base" -m venv "$VENV" 2>/dev/null; then
    rm -rf "$VENV"
    version="$("$base" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    install_system_packages "python$version-venv"
    "$base" -m venv "$VENV"
  fi
}

# PyPI's torch for Linux is the CUDA build (several GB). Without an NVIDIA GPU a CPU build is enough.
install_torch() {
  local version="2.13.0" cpu_index="https://download.pytorch.org/whl/cpu"
  "$PYTHON" -c 'import torch' 2>/dev/null && return
  if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then
    say "PyTorch: an NVIDIA GPU is here, taking the CUDA build (several GB)"
  elif "$PYTHON" -m pip install -q "torch==$version+cpu" 2>/dev/null; then
    say "PyTorch: took the CPU build $version that pip found"; return
  elif "$PYTHON" -m pip install -q --timeout 15 --retries 0 --index-url "$cpu_index" "torch==$version" 2>/dev/null; then
    say "PyTorch: took the CPU build $version from $cpu_index"; return
  else
    say "PyTorch: no CPU build could be found, taking the default build (CUDA, several GB)"
  fi
  "$PYTHON" -m pip install -q "torch>=2.6" >&2
}

need_environment() {
  local extras="$1" stamp wanted have
  wanted="$(cat "$ROOT/pyproject.toml" "$ROOT/scripts/_environment.sh" | cksum | cut -d' ' -f1)"
  stamp="$VENV/.groundproof"
  [ -x "$PYTHON" ] && "$PYTHON" -c '' 2>/dev/null || { rm -rf "$VENV"; make_venv; }
  have="$(cat "$stamp" 2>/dev/null || true)"
  case "$have" in "$wanted "*) case ",${have#* }," in *",$extras,"*) return ;; esac ;; esac
  say "Installing groundproof[$extras] and what it needs (once; a few minutes)"
  export PIP_DISABLE_PIP_VERSION_CHECK=1
  install_torch
  "$PYTHON" -m pip install -q -e "$ROOT[$extras]" >&2
  case "$have" in "$wanted "*) extras="${have#* },$extras" ;; esac
  printf '%s %s\n' "$wanted" "$extras" >"$stamp"
}
