#!/usr/bin/env bash
# A newcomer's first hour: the README and the first lesson, typed into terminals of 80 and 60 columns in a fresh clone,
# and what is seen there looked at: bars that are true, no cut number, no traceback, Ctrl-C. Needs git, tmux, Python.
#
#   tests/first_hour.sh                  installs as the README says: minutes, and a network
#   tests/first_hour.sh --venv .venv     with the libraries of an environment that is there (not with its mnist1d)
#   tests/first_hour.sh --widths "60" --only 'Ctrl-C|demo'    other widths, and only commands that match
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
venv="" widths="80 60" only=""
while (($#)); do
  case $1 in
    --venv) venv=$(cd "$2" && pwd) ;;
    --widths) widths=$2 ;;
    --only) only=$2 ;;
    *) sed -n '2,/^set/{/^set/d;s/^# \?//p}' "$0"; exit 2 ;;
  esac
  shift 2
done
command -v tmux >/dev/null || { echo "first hour: there is no tmux; apt-get install tmux" >&2; exit 2; }

scratch=$(mktemp -d)
# The terminals' sockets lie in it: whatever happens, they end with this script.
export TMUX_TMPDIR=$scratch
leave() {
  for socket in "$scratch"/tmux-*/*; do
    tmux -S "$socket" kill-server 2>/dev/null || true
  done
  rm -rf "$scratch"
}
trap leave EXIT
trap 'exit 130' INT TERM

# An environment with the libraries of another one, in which pip installs the clone.
borrow() {
  python=$2/bin/python
  "$python" -m venv --without-pip .venv
  ours=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  theirs=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  # Before the other's own copy of the package, should it have one.
  printf '%s\n' "$1" "import site; site.addsitedir('$theirs')" >"$ours/borrowed.pth"
  "$python" -m pip --python .venv/bin/python --disable-pip-version-check --quiet install \
    --no-deps --no-build-isolation --force-reinstall -e .
  touch .venv/.demo
}

for width in $widths; do
  clone=$scratch/$width/mnist1d-hf
  git clone --quiet "$root" "$clone"
  cd "$clone"
  if [[ $venv ]]; then
    borrow "$clone" "$venv"
  else
    make .venv/.demo
    venv=$clone/.venv
  fi
  .venv/bin/python -c "import mnist1d_hf as it; assert it.__file__.startswith('$clone'), it.__file__"
done

git clone --quiet "$root" "$scratch/pipe/mnist1d-hf"

# One thread for each terminal: both walk at the same time.
export OMP_NUM_THREADS=1
python3 "$root/tests/helpers/first_hour.py" "$scratch" --widths $widths --only "$only"
