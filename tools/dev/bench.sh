help() {
  cat <<'TEXT'
usage: ./dev bench [--quick] [ARGUMENTS OF bench/run.py]

Builds the release preset, then runs Brook and Apache Kafka in turns under the same librdkafka client, and writes the table to
bench/results/latest.md and .json. Needs java and mvn for Apache Kafka; ./dev bench --only brook does without. ./dev bench -- --help
lists the arguments of bench/run.py.
TEXT
}

main() {
  case "${1-}" in -h | --help) help; return 0 ;; --) shift ;; esac
  install_packages
  configure release || exit 1
  build_targets release brook bench_load || exit 1
  exec python3 bench/run.py --brook build/release/src/app/brook --load build/release/bench/bench_load "$@"
}
