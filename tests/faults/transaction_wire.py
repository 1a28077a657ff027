"""A transactional producer by hand, in the protocol of older clients: it can stop in the middle of a transaction, and write records that
its coordinator does not know of."""

import struct
import time

import kafka_wire

ADD_PARTITIONS_TO_TXN, END_TXN = 24, 26
TRANSACTION = 1  # FindCoordinator's key type
RETRIABLE = {14, 15, 16, 51}  # loading, not available, not coordinator, concurrent transactions


class TransactionalProducer(kafka_wire.Connection):
    """Its transactional id is taken from whoever had it."""

    def __init__(self, port, transactional_id, timeout_ms=60000):
        super().__init__(port)
        self.transactional_id, self.sequence = transactional_id, 0
        self._until_done(kafka_wire.FIND_COORDINATOR, 1, kafka_wire.string(transactional_id) + struct.pack(">b", TRANSACTION))
        answer = self._until_done(kafka_wire.INIT_PRODUCER_ID, 1, kafka_wire.string(transactional_id) + struct.pack(">i", timeout_ms))
        self.producer_id, self.epoch = answer.take("qh")

    def _until_done(self, api_key, version, body, timeout_s=30):
        """The rest of an answer that begins with a throttle time and an error code, which is none in the end."""
        end = time.monotonic() + timeout_s
        while True:
            answer = self.ask(api_key, version, body)
            answer.take("i")
            error = answer.take("h")
            if error == kafka_wire.NONE:
                return answer
            if error not in RETRIABLE or time.monotonic() > end:
                raise OSError(f"API {api_key} answers error {error}")
            time.sleep(0.05)

    def _identity(self):
        return kafka_wire.string(self.transactional_id) + struct.pack(">qh", self.producer_id, self.epoch)

    def add_partition(self, topic, partition=0, timeout_s=30):
        body = self._identity() + struct.pack(">i", 1) + kafka_wire.string(topic) + struct.pack(">ii", 1, partition)
        end = time.monotonic() + timeout_s
        while True:
            answer = self.ask(ADD_PARTITIONS_TO_TXN, 1, body)
            answer.take("i")
            (_, [(_, error)]), = answer.array(lambda: (answer.string(), answer.array(lambda: answer.take("ih"))))
            if error == kafka_wire.NONE:
                return
            if error not in RETRIABLE or time.monotonic() > end:
                raise OSError(f"AddPartitionsToTxn answers error {error}")
            time.sleep(0.05)

    def write(self, topic, values, partition=0):
        """The error code of records that belong to the transaction."""
        records = kafka_wire.batch(values, self.producer_id, self.epoch, self.sequence, attributes=kafka_wire.TRANSACTIONAL)
        error, _, _ = self.produce(topic, records, partition=partition, transactional_id=self.transactional_id)
        if error == kafka_wire.NONE:
            self.sequence += len(values)
        return error

    def end(self, commit):
        self._until_done(END_TXN, 1, self._identity() + struct.pack(">b", commit))
