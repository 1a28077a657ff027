help() {
  cat <<'TEXT'
usage: ./dev simulate [--world NAME]... [--seed S] [--seeds N] [--minutes M] [--jobs J] [--log]

Builds tests/sim and runs it: parts of Brook and whole brokers in a world of one thread and one seed, where disks lose what was not synced,
connections are cut and processes die, beside a model of what they promised. docs/simulation.md says how it works.
  --world NAME   log, keeper or broker; may be given more than once (all)
  --seed S       the first seed; without it a fresh one is drawn. A seed that fails is printed, and does the same again
  --seeds N      how many of each world: S, S+1, S+2, ... (100; after --seed, 1)
  --minutes M    for so long, however many that are
  --jobs J       processes at a time (one a core)
  --log          shows the log of what is simulated
TEXT
}

main() {
  case "${1-}" in -h | --help) help; return 0 ;; esac
  local arguments=("$@")
  while (($#)); do
    case "$1" in
      --log) shift ;;
      --world | --seed | --seeds | --minutes | --jobs) needs_value "$1" $#; shift 2 ;;
      *) die_usage "simulate does not know '$1'; see ./dev simulate --help" ;;
    esac
  done
  set -- "${arguments[@]}"
  [[ " $* " == *" --jobs "* ]] || arguments+=(--jobs "$(jobs)")
  install_packages
  configure release || exit 1
  build_targets release simulate || exit 1
  build/release/tests/sim/simulate "${arguments[@]}"
}
