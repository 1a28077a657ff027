help() {
  cat <<'TEXT'
usage: ./dev bench [--quick] [--only brook|kafka] [--family NAME]... [--pairs N] [--readme] [--results DIRECTORY] [--scratch DIRECTORY]
       ./dev bench --micro [OPTIONS OF GOOGLE BENCHMARK]

Builds the release preset, then runs Brook and Apache Kafka in turns under the same loads, and measures the machine's own limits beside them.
The report goes to bench/results/: latest.md, latest.json with every sample, and plots. Needs java and mvn for Apache Kafka; --only brook does
without. The whole takes about an hour, on a machine that does nothing else; Ctrl-C leaves no process and no file behind.
  --quick        small loads, few rounds, about five minutes: to see that it runs, not to quote
  --only BROKER  one broker alone
  --family NAME  this family of measures; may be repeated: start, cold, produce, consume, latency, durable,
                 compaction, scale, restart, connections, groups, transactions, share
  --pairs N      rounds of each broker after the warm-up (default 5, quick 1); long ones take fewer
  --readme       put the newest table into README.md too
  --results DIR  where the report goes instead
  --scratch DIR  where the brokers' data goes, about 30 GB (default: the system's temporary folder)
  --micro        the micro-benchmarks instead: decode, batch checking, append, index look-up, encode, each beside its ceiling
TEXT
}

micro() {
  configure release || exit 1
  build_targets release bench_micro || exit 1
  exec build/release/bench/bench_micro "$@"
}

main() {
  case "${1-}" in
    -h | --help) help; return 0 ;;
    --micro) shift; install_packages; micro "$@" ;;
  esac
  if command -v python3 > /dev/null; then python3 bench/run.py --check-arguments "$@" || exit; fi
  install_packages
  configure release || exit 1
  build_targets release brook bench_saturate bench_ceilings || exit 1
  exec python3 bench/run.py "$@"
}
