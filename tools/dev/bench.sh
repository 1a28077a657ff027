help() {
  cat <<'TEXT'
usage: ./dev bench [--quick] [--pairs N] [--only brook|kafka]

Builds the release preset, then runs Brook and Apache Kafka in turns under the same librdkafka client, and writes the table to
bench/results/latest.md and .json. Needs java and mvn for Apache Kafka; ./dev bench --only brook does without.
  --quick    smaller loads and fewer pairs: to see that it runs, not to quote
  --pairs N  how many pairs of runs (Brook, Apache Kafka) after the warm-up
TEXT
}

main() {
  case "${1-}" in -h | --help) help; return 0 ;; esac
  if command -v python3 > /dev/null; then python3 bench/run.py --check-arguments "$@" || exit; fi
  install_packages
  configure release || exit 1
  build_targets release brook bench_load || exit 1
  exec python3 bench/run.py --brook build/release/src/app/brook --load build/release/bench/bench_load "$@"
}
