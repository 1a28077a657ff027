"""Tells when a Kafka broker answers, with two requests written out by hand: what starts a broker needs no client library."""

import socket
import struct
import time

METADATA, API_VERSIONS = 3, 18
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 0.5


class NotReady(Exception):
    """The broker did not answer in time, or ended before it did."""


def free_ports(count):
    """Ports of 127.0.0.1 that nothing listens on now. Another process may take one before it is used: callers try again."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def wait_until_answers(host, port, timeout_s, process=None):
    """Returns once the broker answers ApiVersions and names a broker in Metadata; raises NotReady after timeout_s, or as soon as `process` has ended."""
    end = time.monotonic() + timeout_s
    pause = FIRST_PAUSE_S
    problem = "it was not asked"
    while time.monotonic() < end:
        if process is not None and process.poll() is not None:
            raise NotReady(f"the broker ended with status {process.returncode} before it answered")
        try:
            problem = _problem_of(host, port, min(5.0, max(0.1, end - time.monotonic())))
        except (OSError, struct.error) as error:
            problem = f"{type(error).__name__}: {error}"
        if problem is None:
            return
        time.sleep(pause)  # between two tries: nothing announces that a port is open
        pause = min(2 * pause, LONGEST_PAUSE_S)
    raise NotReady(f"{host}:{port} did not answer within {timeout_s:g} s; last try: {problem}")


def _problem_of(host, port, timeout_s):
    with socket.create_connection((host, port), timeout=timeout_s) as connection:
        body = _ask(connection, API_VERSIONS, 0, b"")
        error_code, api_count = struct.unpack_from(">hi", body)
        if error_code != 0 or api_count <= 0:
            return f"ApiVersions answers error {error_code}, {api_count} APIs"
        body = _ask(connection, METADATA, 1, struct.pack(">i", 0))  # of no topic
        brokers = struct.unpack_from(">i", body)[0]
        return None if brokers > 0 else "Metadata names no broker"


def _ask(connection, api_key, version, body):
    """The body that answers a request of a version before the flexible ones."""
    client = b"readiness"
    request = struct.pack(">hhih", api_key, version, 1, len(client)) + client + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    size = struct.unpack(">i", _read(connection, 4))[0]
    if not 4 <= size <= 1 << 24:
        raise OSError(f"an answer of {size} bytes")
    answer = _read(connection, size)
    if struct.unpack_from(">i", answer)[0] != 1:
        raise OSError("an answer to another request")
    return answer[4:]


def _read(connection, size):
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise OSError("the broker closed the connection")
        data += piece
    return data
