help() {
  cat <<'TEXT'
usage: ./dev test [--quick] [--sanitize asan|tsan|all|none]

Builds the release preset and passes every test: the module tests and walls (ctest), the fault tests, the command line, other people's clients against a
freshly started broker, every measure of the bench once without judging times, five minutes of simulation (seeds that are the commit's own) and 60 s of fuzzing.
What mostly waits runs in lanes beside each other, and what compiles takes the processors that these leave.
--sanitize runs the module tests in that build too (the default is none, in CI asan).
--quick leaves out the clients, the bench, the simulation and the fuzzing, and shortens the fault tests.
With CI=true a client whose toolchain is missing is a failure; else it is skipped by name. The last line sums it all:
  N passed, N failed, N skipped
TEXT
}

RESULTS=$LOGS/results.tsv

# count SUITE PASSED FAILED SKIPPED
count() { printf '%s\t%d\t%d\t%d\n' "$@" >> "$RESULTS"; }

# ctest_suite PRESET [ARGUMENTS OF ctest]: the module tests and walls of a build.
ctest_suite() {
  local preset=$1 junit="$PWD/$LOGS/ctest-$1.xml" counts
  shift
  rm -f "$junit"
  step "module tests and walls ($preset)" "ctest-$preset" \
    ctest --test-dir "build/$preset" -j "$(jobs)" --output-on-failure --no-tests=error --timeout 300 --output-junit "$junit" "$@" || true
  if counts=$(python3 tools/dev/junit_counts.py "$junit"); then
    # shellcheck disable=SC2086
    count "ctest-$preset" $counts
  else
    count "ctest-$preset" 0 1 0
  fi
}

# line_suite TEXT LOG COMMAND...: a program whose output ends with the line `N passed, N failed, N skipped`.
line_suite() {
  local text=$1 log=$2 status=0 line
  shift 2
  step "$text" "$log" "$@" || status=$?
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$LOGS/$log.log" | tail -n 1 || true)
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    local failed=${BASH_REMATCH[2]}
    if ((status != 0 && failed == 0)); then failed=1; fi
    count "$log" "${BASH_REMATCH[1]}" "$failed" "${BASH_REMATCH[3]}"
    if ((BASH_REMATCH[3])); then grep -iE '^ *skip(ped)?\b|\.\.\. skipped' "$LOGS/$log.log" | sed 's/^ */    /' | sort -u || true; fi
  else
    count "$log" 0 1 0
    if ((status == 0)); then echo "    $LOGS/$log.log does not end with a line that counts its tests"; fi
  fi
}

# one_suite LOG COMMAND...: a command that prints its own steps; it counts as one test.
one_suite() {
  local log=$1
  shift
  if "$@"; then count "$log" 1 0 0; else count "$log" 0 1 0; fi
}

# Suites that mostly wait, for brokers that start and die and for clients' time-outs, leave most of a machine idle: lanes of work
# run beside each other where there are two cores.
LANES=()
LANE_LOGS=()

# beside LOG COMMAND...: starts a lane; what it prints is kept for `join_lanes`.
beside() {
  local log=$LOGS/$1.log
  shift
  set -m  # a process group of its own, so that all of it can be ended
  "$@" > "$log" 2>&1 < /dev/null &
  set +m
  LANES+=("$!")
  LANE_LOGS+=("$log")
  trap end_lanes EXIT
}

join_lanes() {
  local lane
  for lane in "${!LANES[@]}"; do
    wait "${LANES[lane]}" || true
    cat "${LANE_LOGS[lane]}"
  done
  LANES=()
}

end_lanes() {
  local lane
  for lane in "${LANES[@]}"; do kill -TERM -- "-$lane" 2> /dev/null || true; done
}

# A benchmark that cannot run says so and ends with status 0.
micro_smoke() {
  local output
  output=$(build/release/bench/bench_micro --benchmark_min_time=0.01 2>&1) || { echo "$output"; return 1; }
  echo "$output"
  [[ $output != *"ERROR OCCURRED"* ]]
}

# Prints the closing line; true where nothing failed.
summary() {
  awk -F'\t' '{p += $2; f += $3; s += $4} END {printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0 || p == 0}' "$RESULTS"
}

give_up() {
  count "$1" 0 1 0
  summary || true
  exit 1
}

# What compiles for minutes, with what processors the others leave.
compile_aside() {
  renice -n 19 -p "$BASHPID" > /dev/null
  one_suite fuzz ./dev fuzz --seconds 60
  local preset
  for preset in "$@"; do
    # Where this fails the next attempt says so, and counts.
    if configure "$preset"; then build_targets "$preset" module_tests || true; fi
  done
}

sanitized() {
  configure "$1" || { count "ctest-$1" 0 1 0; return; }
  build_targets "$1" module_tests || { count "ctest-$1" 0 1 0; return; }
  # what does not depend on the build has run in release
  ctest_suite "$1" -E '^(wall|wire|docs|bench|sim)\.'
}

# clients BROOK
clients() {
  local arguments=(--brook "$1" --build-dir build/compat)
  # A fifth of each client's records, so that all of them fit into CI; tests/compat/run.py alone sends a million.
  if [[ ${CI-} == true ]]; then arguments+=(--fail-on-skip --scale 0.2); fi
  line_suite "clients: other people's, against Brook" compat python3 tests/compat/run.py "${arguments[@]}"
}

# broker_suites BROOK [ARGUMENTS OF THE FAULT TESTS]
broker_suites() {
  local brook=$1
  shift
  line_suite "faults: kill, bad input, full disk, bad starts" faults \
    python3 tests/faults/run.py --brook "$brook" --load build/release/tests/faults/faults_load "$@"
  line_suite "command line: against a broker of its own" cli python3 tests/cli/run.py --brook "$brook"
  line_suite "formats: Apache Kafka reads our segments, we read its" formats python3 tests/formats/run.py --brook "$brook"
  one_suite bench-micro step "micro-benchmarks, shortly" bench-micro micro_smoke
}

# long_suites [ARGUMENTS OF ./dev simulate]
long_suites() {
  one_suite bench step "bench: every measure once, Brook alone" bench python3 bench/run.py --quick --only brook --results build/bench-smoke
  # Fresh ones for each commit, and the same for all who build it: what fails here fails again.
  local first_seed
  first_seed=$(git rev-parse --short=7 HEAD 2> /dev/null) || first_seed=1
  one_suite simulate ./dev simulate --seed "$((16#$first_seed))" --minutes 5 "$@"
}

main() {
  local quick= sanitize=none brook=build/release/src/app/brook
  if [[ ${CI-} == true ]]; then sanitize=asan; fi
  while (($#)); do
    case "$1" in
      -h | --help) help; return 0 ;;
      --quick) quick=1; shift ;;
      --sanitize) needs_value "$1" $#; sanitize=$2; shift 2
        [[ " asan tsan all none " == *" $sanitize "* ]] || die_usage "--sanitize takes asan, tsan, all or none, not '$sanitize'" ;;
      *) die_usage "test does not know '$1'; see ./dev test --help" ;;
    esac
  done
  mkdir -p "$LOGS"
  : > "$RESULTS"
  install_packages
  configure release || give_up configure
  build_targets release all all_verify_interface_header_sets || give_up build
  ctest_suite release

  local presets=()
  case "$sanitize" in
    all) presets=(asan tsan) ;;
    asan | tsan) presets=("$sanitize") ;;
  esac
  if [[ -n $quick ]]; then
    broker_suites "$brook" --kills 5
  elif (($(nproc) < 2)); then
    clients "$brook"
    broker_suites "$brook"
    long_suites
    one_suite fuzz ./dev fuzz --seconds 60
  else
    beside lane-clients clients "$brook"
    beside lane-compilers compile_aside "${presets[@]}"
    broker_suites "$brook"
    long_suites --jobs $(($(nproc) - 1))
    join_lanes
  fi
  local preset
  for preset in "${presets[@]}"; do sanitized "$preset"; done
  summary
}
