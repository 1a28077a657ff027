help() {
  cat <<'TEXT'
usage: ./dev build [PRESET] [TARGET...]

Configures and builds into build/PRESET. PRESET is release (the default), asan (address and undefined behaviour: the everyday
developer build) or tsan. Without a target everything is built, tests included.
  ./dev build                    all of release
  ./dev build asan storage_test  one test program; run it as build/asan/src/storage/storage_test
TEXT
}

main() {
  local preset=release
  case "${1-}" in -h | --help) help; return 0 ;; -*) die_usage "build knows no option '$1'; see ./dev build --help" ;; esac
  if (($#)) && is_preset "$1"; then preset=$1; shift; fi
  (($#)) || set -- all
  install_packages
  configure "$preset" || exit 1
  build_targets "$preset" "$@" || exit 1
}
