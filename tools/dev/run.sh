help() {
  cat <<'TEXT'
usage: ./dev run [--port PORT] [--data DIRECTORY] [-- ARGUMENTS OF brook start]

Installs what is missing, builds the release preset and starts one broker with an embedded metadata store in the foreground:
on 127.0.0.1:9092, data in ./data. Ctrl-C stops it cleanly.
  ./dev run -- --set num.partitions=4 --shards 2
TEXT
}

main() {
  local port=9092 data=data brook=build/release/src/app/brook
  while (($#)); do
    case "$1" in
      -h | --help) help; return 0 ;;
      --port) needs_value "$1" $#; port=$2; shift 2
        [[ $port =~ ^[0-9]+$ ]] && ((port >= 1 && port <= 65535)) || die_usage "--port takes 1 to 65535, not '$port'" ;;
      --data) needs_value "$1" $#; data=$2; shift 2 ;;
      --) shift; break ;;
      *) die_usage "run does not know '$1'; see ./dev run --help" ;;
    esac
  done
  install_packages
  configure release || exit 1
  build_targets release brook || exit 1
  mkdir -p "$data" || die "the data directory '$data' cannot be made"
  data=$(cd "$data" && pwd)
  cat <<TEXT

Brook starts on 127.0.0.1:$port with its data in $data. Ctrl-C stops it. Three lines to try, in another terminal:

  kcat -b 127.0.0.1:$port -L
  echo 'hello, Brook' | kcat -b 127.0.0.1:$port -P -t greetings
  kcat -b 127.0.0.1:$port -C -t greetings -o beginning -e

TEXT
  exec "$brook" start --set "listeners=PLAINTEXT://127.0.0.1:$port" --set "log.dirs=$data" "$@"
}
