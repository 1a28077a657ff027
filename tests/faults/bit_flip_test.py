"""Bits of a stopped broker's files flip: it serves nothing that was not written, and what it does not serve any more its log tells of."""

import contextlib
import random
import shutil
import unittest

import bit_flip_check
import bit_flip_data
import broker as brokers
import settings

KILLS_PER_FLIP = 100  # of the crash test's for each further flip of a kind
RECORDS_OF_LOGS = "records of .log"
CHECKSUMS = "index-checksums"
KINDS = (".log", RECORDS_OF_LOGS, ".index", ".timeindex", ".txnindex", CHECKSUMS, ".snapshot", "leader-epoch-checkpoint", "partition.metadata",
         "meta.properties", "recovery-point-offset-checkpoint", "log-start-offset-checkpoint", "replication-offset-checkpoint",
         "cleaner-offset-checkpoint", ".kafka_cleanshutdown", "__cluster_metadata-1")


class BitFlip(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if settings.peer:
            raise unittest.SkipTest("what the log says is Brook's")
        cls.seed = random.randrange(1 << 32)
        cls.data = bit_flip_data.Data()
        cls.source = brokers.Brook(settings.brook, bit_flip_data.PROPERTIES)
        cls.addClassCleanup(cls.source.close)
        cls.source.start()
        cls.data.write(cls.source)
        cls.source.kill()
        cls.killed = cls.source.directory / "killed"
        shutil.copytree(cls.source.data_dir, cls.killed)
        cls.source.start()
        if (status := cls.source.stop()) != 0:
            raise AssertionError(f"status {status}: {cls.source.output()[-2000:]}")
        cls.stopped = cls.source.directory / "stopped"
        shutil.copytree(cls.source.data_dir, cls.stopped)

    def test_after_a_clean_stop(self):
        self.flip_each_kind(self.stopped)

    def test_after_a_kill(self):
        self.flip_each_kind(self.killed)

    def flip_each_kind(self, source):
        flips = max(1, settings.kills // KILLS_PER_FLIP)
        for kind in KINDS:
            for number in range(flips):
                seed = f"{self.seed}-{source.name}-{kind}-{number}"
                chance = random.Random(seed)
                candidates = self.files_of(kind, source)
                if not candidates:
                    continue
                file = chance.choice(candidates)
                with self.subTest(f"{kind}, seed {seed}"):
                    self.flip(source, file, kind == RECORDS_OF_LOGS, chance)

    @staticmethod
    def files_of(kind, source):
        """Those that have a bit to flip, of what lies below `source`."""
        if kind == "__cluster_metadata-1":
            found = (source / kind).iterdir()
        elif kind == RECORDS_OF_LOGS:
            found = source.glob("*/*.log")
        elif kind.startswith(".") and kind != ".kafka_cleanshutdown":
            found = source.glob(f"*/*{kind}")
        else:
            found = [*source.glob(kind), *source.glob(f"*/{kind}")]
        if kind in (".timeindex", ".txnindex"):  # Before a checksum is written nothing in Apache Kafka's formats tells of a flipped bit.
            found = [path for path in found if has_checksum(path)]
        keeper = source / "__cluster_metadata-1"
        return sorted(path.relative_to(source) for path in found
                      if path.stat().st_size > 0 and (path.parent != keeper or kind == keeper.name))

    def flip(self, source, file, in_records, chance):
        whole = (source / file).read_bytes()
        count = chance.randint(1, 3)
        positions = bit_flip_check.positions_in_records(whole, chance, count) if in_records else [chance.randrange(len(whole)) for _ in range(count)]
        positions = {position: chance.randrange(8) for position in positions}
        with contextlib.closing(broker_over_copy(source)) as broker:
            hurt_file = broker.data_dir / file
            hurt_file.write_bytes(bit_flip_check.bits_flipped(whole, positions))
            topic = file.parent.name.rpartition("-")[0]
            hurt = {topic: bit_flip_data.batches_at(whole, positions)} if file.suffix == ".log" else {}
            what = f"{file}, bits {positions} of {len(whole)} bytes"
            try:
                broker.start()
            except brokers.StartFailed:
                self.assertIn(str(file), broker.output(), f"{what}: the broker does not start, and does not name the file")
                self.assertNotIn("Assertion", broker.output(), what)
                return
            problems = bit_flip_check.Check(self.data, broker, hurt_file, hurt).run()
            self.assertFalse(problems, f"{what}: {problems[:5]}\n" + "\n".join(broker.complaints())[-2000:])


def has_checksum(index):
    checksums = index.parent / CHECKSUMS
    lines = checksums.read_text().splitlines()[2:-1] if checksums.exists() else []
    return int(index.stem) in {int(line.split()[0]) for line in lines}


def broker_over_copy(source):
    """A broker, not started, that compacts nothing any more."""
    broker = brokers.Brook(settings.brook, bit_flip_data.PROPERTIES | {"log.cleaner.enable": "false"})
    shutil.copytree(source, broker.data_dir)
    return broker
