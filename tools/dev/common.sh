# What the commands of ./dev share. Sourced, with the repository's root as working directory.

LOGS=build/logs
PRESETS="release asan tsan"

die() { printf './dev: %s\n' "$*" >&2; exit 1; }
# A wrong argument: what is wrong, then exit status 2.
die_usage() { printf './dev: %s\n' "$*" >&2; exit 2; }

# jobs: how many compilers may run at once: one a core, and 1.2 GB of memory each.
jobs() {
  local cores memory_kib fit
  cores=$(nproc)
  memory_kib=$(awk '/^MemAvailable/ {print $2}' /proc/meminfo)
  fit=$((memory_kib / 1200000))
  if ((fit < 1)); then fit=1; fi
  echo $((cores < fit ? cores : fit))
}

# step TEXT LOG COMMAND...: runs it quietly, prints one line with the seconds that it took. Its output is in build/logs/LOG.log;
# the end of that is printed where it fails, and its exit status returned.
step() {
  local text=$1 log="$LOGS/$2.log" begin=$SECONDS status=0
  shift 2
  mkdir -p "$LOGS"
  printf '%-52s' "$text"
  "$@" > "$log" 2>&1 < /dev/null || status=$?
  if ((status == 0)); then
    printf '%6d s\n' $((SECONDS - begin))
  else
    printf '%6d s  FAILED, status %d; the end of %s:\n' $((SECONDS - begin)) "$status" "$log"
    tail -n "${BROOK_TAIL_LINES:-40}" "$log" | sed 's/^/    /'
  fi
  return "$status"
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

is_installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" && return
  # The package lists may be absent (a container's image) or old.
  as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# Installs what tools/dev/packages.txt names and this machine lacks.
install_packages() {
  local package missing=()
  if ! command -v apt-get > /dev/null; then
    command -v clang++-19 > /dev/null || die "this is not a Debian machine: install what tools/dev/packages.txt names by hand"
    return 0
  fi
  while read -r package; do
    is_installed "$package" || missing+=("$package")
  done < <(sed 's/#.*//; /^[[:space:]]*$/d' tools/dev/packages.txt)
  ((${#missing[@]})) || return 0
  if [[ " ${missing[*]} " == *" libboost1.81-dev "* ]] && is_installed libboost1.74-dev; then
    die "libboost1.74-dev is installed, and Debian does not allow libboost1.81-dev beside it. Brook needs 1.81. If nothing else on
this machine needs 1.74's headers: apt-get remove libboost1.74-dev (this removes libboost-dev and libboost-*1.74-dev too)"
  fi
  echo "Debian packages to install: ${missing[*]}"
  if [[ -n ${BROOK_NO_INSTALL-} ]]; then die "BROOK_NO_INSTALL is set: apt-get install ${missing[*]}"; fi
  if ((EUID != 0)) && ! command -v sudo > /dev/null; then
    die "not root, and there is no sudo. As root: apt-get install --no-install-recommends ${missing[*]}"
  fi
  # sudo may ask for a password: once, before output is hidden
  if ((EUID != 0)); then sudo -v || die "sudo was refused. As root: apt-get install --no-install-recommends ${missing[*]}"; fi
  step "install ${#missing[@]} packages" packages apt_install "${missing[@]}" || die "apt-get could not install the packages"
}

# One cache for every checkout and build folder: paths below the base directory are stored relative.
use_ccache() {
  export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=true CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-5G}
  export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
}

# configure PRESET [-DKEY=VALUE...]
configure() {
  local preset=$1
  shift
  use_ccache
  step "configure $preset" "configure-$preset" cmake --preset "$preset" "$@"
}

# build_targets PRESET TARGET...
build_targets() {
  local preset=$1
  shift
  use_ccache
  step "build $preset: $*" "build-$preset" cmake --build "build/$preset" -j "$(jobs)" --target "$@"
}

# The C++ and C sources in our format; the programs of tests/compat keep the manner of their clients.
cxx_sources() {
  local folders=() folder
  for folder in src tests/walls tests/wire tests/fuzz tests/faults tests/sim bench; do [[ -d $folder ]] && folders+=("$folder"); done
  find "${folders[@]}" -type f \( -name '*.h' -o -name '*.cc' -o -name '*.c' \) | sort
}

is_preset() { [[ " $PRESETS " == *" $1 "* ]]; }

# needs_value OPTION COUNT: for an option that takes a value; COUNT is $#.
needs_value() { (($2 >= 2)) || die_usage "$1 needs a value"; }
