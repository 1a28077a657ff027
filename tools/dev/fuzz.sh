help() {
  cat <<'TEXT'
usage: ./dev fuzz [--seconds N] [TARGET...]

Builds the libFuzzer targets of tests/fuzz with address and undefined-behaviour sanitizers and runs them one after another, N seconds in
all (default 60), each from its seed corpus tests/fuzz/corpus/TARGET. What it finds new is kept in build/fuzz/corpus/TARGET; an input that
fails is kept in build/fuzz/failures, and its path printed.
TEXT
}

run_fuzzer() {
  local target=$1 seconds=$2 binary=$3 seeds=()
  mkdir -p "build/fuzz/corpus/$target" build/fuzz/failures
  [[ -d tests/fuzz/corpus/$target ]] && seeds=("tests/fuzz/corpus/$target")
  # an allocation beyond 512 MiB or a second per input is a finding
  "$binary" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -malloc_limit_mb=512 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/failures/$target-" "build/fuzz/corpus/$target" "${seeds[@]}"
}

main() {
  local seconds=60 failed=0
  while (($#)); do
    case "$1" in
      -h | --help) help; return 0 ;;
      --seconds) needs_value "$1" $#; seconds=$2; shift 2
        [[ $seconds =~ ^[1-9][0-9]*$ ]] || die_usage "--seconds takes a positive number, not '$seconds'" ;;
      -*) die_usage "fuzz knows no option '$1'; see ./dev fuzz --help" ;;
      *) break ;;
    esac
  done
  local all=() wanted=("$@") target file
  for file in tests/fuzz/*_fuzz.cc; do [[ -e $file ]] && all+=("$(basename "$file" .cc)"); done
  for target in "$@"; do
    [[ " ${all[*]-} " == *" $target "* ]] || die_usage "there is no fuzz target '$target'; there are: ${all[*]-none}"
  done
  ((${#all[@]})) || die "there is no fuzz target in tests/fuzz"
  ((${#wanted[@]})) || wanted=("${all[@]}")
  install_packages
  configure asan -B build/fuzz -DBROOK_FUZZ=ON || exit 1
  build_targets fuzz "${wanted[@]}" || exit 1
  local each=$((seconds / ${#wanted[@]}))
  if ((each < 1)); then each=1; fi
  for target in "${wanted[@]}"; do
    step "fuzz $target for $each s" "fuzz-$target" run_fuzzer "$target" "$each" "build/fuzz/tests/fuzz/$target" || failed=1
  done
  return "$failed"
}
