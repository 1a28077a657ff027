"""A member of a share group that works until the broker dies, and what it may be given of the records afterwards."""

import kafka_wire
import share_wire

BATCH = 20
LAST_FETCHES = 400


class ShareWorker:
    """accepted: (partition, offset) that it accepted, and heard that it has. maybe: those without an answer."""

    def __init__(self, chance, group, topic, partitions):
        self.chance, self.group, self.topic, self.partitions = chance, group, topic, partitions
        self.accepted, self.maybe = set(), set()
        self.written = 0  # at least, in each partition

    def produce(self, broker, records):
        """`records` to each partition, a multiple of BATCH."""
        with kafka_wire.Connection(broker.port) as connection:
            for partition in range(self.partitions):
                for _ in range(records // BATCH):
                    error = connection.produce(self.topic, kafka_wire.batch([b"value"] * BATCH), partition=partition)[0]
                    if error != kafka_wire.NONE:
                        raise OSError(f"Produce answers error {error}")
        self.written += records

    def work(self, broker, stopping=lambda: False):
        """Accepts half, gives back some, says nothing of the rest; until the broker dies, which kafka_wire tells."""
        with self._member(broker) as member:
            while not stopping():
                given = member.fetch()
                self._see(given)
                said = {}
                for place in given:
                    if (lot := self.chance.random()) < 0.6:
                        said[place] = share_wire.ACCEPT if lot < 0.5 else share_wire.RELEASE
                if not said:
                    continue
                asked = {place for place, how in said.items() if how == share_wire.ACCEPT}
                self.maybe |= asked
                done = member.acknowledge(said) & asked
                self.maybe -= asked
                self.accepted |= done

    def drain(self, broker, where):
        """Everything that was not accepted comes, and then nothing."""
        missing = {(partition, offset) for partition in range(self.partitions) for offset in range(self.written)} - self.accepted
        with self._member(broker) as member:
            for _ in range(LAST_FETCHES):
                given = member.fetch(max_records=500)
                self._see(given)
                if given:
                    self.accepted |= member.acknowledge(dict.fromkeys(given, share_wire.ACCEPT))
                missing -= set(given) | self.accepted
                if not given and missing <= self.maybe:
                    break
            if not missing <= self.maybe:
                raise AssertionError(f"{where}: never given out again: {sorted(missing - self.maybe)[:5]}\n{broker.output()[-2000:]}")
            if more := member.fetch():
                raise AssertionError(f"{where}: given out after all was accepted: {sorted(more)[:5]}")

    def _member(self, broker):
        # One member that comes back: others would have partitions until their sessions time out.
        member = share_wire.ShareMember(broker.port, self.group, self.topic, "worker")
        try:
            member.join()
        except BaseException:
            member.close()
            raise
        return member

    def _see(self, given):
        if again := set(given) & self.accepted:
            raise AssertionError(f"accepted, and given out again: {sorted(again)[:5]}")
