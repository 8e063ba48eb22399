# Sourced by other scripts after _environment.sh: QGIS from Debian's packages, and in the user's cache folder an
# environment around QGIS's own Python with what the plugin's tests need. Made once; says what it does.
# Usage: need_qgis_environment     Afterwards $QGIS_PYTHON is its interpreter, which imports qgis.

QGIS_SYSTEM_PYTHON="/usr/bin/python3" # only the system's own Python sees the system's QGIS
QGIS_ENV="${XDG_CACHE_HOME:-$HOME/.cache}/groundproof/qgis-env"
QGIS_PYTHON="$QGIS_ENV/bin/python"

need_qgis_packages() {
  local packages=()
  "$QGIS_SYSTEM_PYTHON" -c 'import qgis.core' 2>/dev/null && command -v qgis >/dev/null || packages+=(qgis python3-qgis)
  "$QGIS_SYSTEM_PYTHON" -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
  command -v xvfb-run >/dev/null || packages+=(xvfb)
  command -v xauth >/dev/null || packages+=(xauth)
  command -v lrelease >/dev/null || packages+=(qttools5-dev-tools)
  command -v pylupdate5 >/dev/null || packages+=(pyqt5-dev-tools)
  [ ${#packages[@]} = 0 ] || install_system_packages "${packages[@]}"
}

# numpy stays the system's: QGIS, GDAL's bindings and matplotlib there are built against it. PyQt5 from PyPI must never
# come in either: two Qts in one process do not work.
install_qgis_test_tools() {
  local numpy constraints
  numpy="$("$QGIS_SYSTEM_PYTHON" -c 'import numpy; print(".".join(numpy.__version__.split(".")[:2]))')"
  constraints="$QGIS_ENV/constraints.txt"
  echo "numpy==$numpy.*" >"$constraints"
  "$QGIS_PYTHON" -m pip install -q -c "$constraints" "hypothesis>=6.100" "pytest>=8.2" "pytest-qgis>=2.1" \
    "pytest-qt>=4.4" "pytest-timeout>=2.3" >&2 || fail "The plugin's test tools cannot be installed in $QGIS_ENV (see above)."
  "$QGIS_PYTHON" -c 'import sys; from importlib.metadata import distributions as all; sys.exit("PyQt5" in {d.name for d in all() if d.locate_file("").is_relative_to(sys.prefix)})' ||
    fail "PyQt5 from PyPI came into $QGIS_ENV, beside which QGIS cannot run. Delete that folder and start again."
}

need_qgis_environment() {
  local stamp wanted
  need_qgis_packages
  wanted="$("$QGIS_SYSTEM_PYTHON" -c 'import sys; from qgis.core import Qgis; print(sys.version_info[:2], Qgis.version())') $(cksum <"$ROOT/scripts/_qgis_environment.sh")"
  stamp="$QGIS_ENV/.groundproof"
  [ -x "$QGIS_PYTHON" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ] && return
  say "Making an environment around QGIS's Python: $QGIS_ENV"
  export PIP_DISABLE_PIP_VERSION_CHECK=1
  mkdir -p "$(dirname "$QGIS_ENV")"
  "$QGIS_SYSTEM_PYTHON" -m venv --system-site-packages "$QGIS_ENV" || fail "The environment $QGIS_ENV could not be made; install python3-venv, then start again."
  install_qgis_test_tools
  printf '%s\n' "$wanted" >"$stamp"
}

qgis_version() { "$QGIS_PYTHON" -c 'from qgis.core import Qgis; print(Qgis.version())'; }

# Runs a module (pytest, ...) in QGIS's Python without a screen, with a profile that is thrown away: run_with_qgis MODULE WORDS...
# pytest without the name of a test runs all of tests/plugin.
run_with_qgis() {
  local module="$1" profile code=0 word named=0
  shift
  if [ "$module" = pytest ]; then
    for word in "$@"; do case "$word" in tests/*) named=1 ;; esac; done
    [ "$named" = 1 ] || set -- tests/plugin "$@"
  fi
  profile="$(mktemp -d)"
  QT_QPA_PLATFORM=offscreen QGIS_CUSTOM_CONFIG_PATH="$profile" "$QGIS_PYTHON" -m "$module" "$@" || code=$?
  rm -rf "$profile"
  return "$code"
}
