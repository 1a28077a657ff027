"""The families of measures, in the order in which a whole run takes them. Each module has FIGURES and run(session)."""

from measures import cold, compaction, connections, consume, durable, groups, latency, produce, restart, scale, share, start, transactions

# name: (module, seconds that it may take in a whole run, in a quick one). What a family has begun it ends.
FAMILIES = {
    "start": (start, 120, 25),
    "cold": (cold, 180, 25),
    "produce": (produce, 660, 60),
    "consume": (consume, 480, 40),
    "latency": (latency, 720, 50),
    "durable": (durable, 180, 15),
    "compaction": (compaction, 480, 60),
    "scale": (scale, 720, 40),
    "restart": (restart, 480, 60),
    "connections": (connections, 120, 15),
    "groups": (groups, 240, 30),
    "transactions": (transactions, 180, 30),
    "share": (share, 240, 40),
}

FIGURES = {figure.key: figure for module, _, _ in FAMILIES.values() for figure in module.FIGURES}
