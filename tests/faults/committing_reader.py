"""A reader that commits the offset behind what it has read, through whatever happens to the broker: what it was told is committed stays."""

import threading

import admin_wire
import kafka_wire
from share_wire import values

FETCH_WAIT_MS = 100
STOP_TIMEOUT_S = 60


class CommittingReader:
    """Of one partition, for a group that has no members, in a thread. After an error it begins anew from what is committed."""

    def __init__(self, port, group, topic, partition=0):
        self.port, self.group, self.topic, self.partition = port, group, topic, partition
        self.asked = self.told = -1  # the last offset that it asked to commit, and the last that it was told is committed
        self.commits = 0
        self.problem = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stopping.is_set() and self.problem is None:
            try:
                with admin_wire.AdminConnection(self.port) as connection:
                    self._read_on(connection, max(0, self.check(connection)))
            except (kafka_wire.Closed, OSError):  # TimeoutError is one
                self.stopping.wait(0.02)  # as a client backs off

    def _read_on(self, connection, offset):
        while not self.stopping.is_set():
            error, _, records = connection.fetch(self.topic, offset, partition=self.partition, max_wait_ms=FETCH_WAIT_MS)
            if error != kafka_wire.NONE:
                raise OSError(f"Fetch answers error {error}")
            if not (found := values(records)):
                continue
            offset = max(found) + 1
            self.asked = max(self.asked, offset)
            connection.commit(self.group, self.topic, offset, self.partition)
            self.told = offset
            self.commits += 1

    def check(self, connection):
        """The committed offset, which is noted as a problem where it is none that it can be."""
        told = self.told
        found = connection.committed(self.group, self.topic, self.partition)
        if not told <= found <= self.asked:
            self.problem = f"{self.group} has committed {found}; {told} was acknowledged and {self.asked} the last that was asked for"
        return found

    def stop(self):
        self.stopping.set()
        self.thread.join(STOP_TIMEOUT_S)
