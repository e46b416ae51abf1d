"""Python's side of `cargo xtask bench`: `rounds.py ROW` sets up some work with the released packages, and measures it whenever a
line comes in; what goes out is what `tests/benches/src/desk.rs` says. Everything runs in one event loop, which is warm.
"""

import asyncio
import os
import sys
import time
import tracemalloc

from swarmauri_core.key_providers.types import ExportPolicy, KeyAlg, KeyClass, KeySpec, KeyUse
from swarmauri_keyprovider_local import LocalKeyProvider
from swarmauri_keyproviders_mirrored import MirroredKeyProvider

# As in tests/benches/src/meter.rs.
BATCH = 500_000
BATCHES = 45
BUDGET = 150_000_000

KEYS = 1000


def mirror_of_two():
    return MirroredKeyProvider(LocalKeyProvider(), LocalKeyProvider(), mirror_mode="public_only")


def spec(alg, size_bits=None):
    return KeySpec(
        klass=KeyClass.asymmetric,
        alg=alg,
        size_bits=size_bits,
        uses=(KeyUse.SIGN, KeyUse.VERIFY),
        export_policy=ExportPolicy.PUBLIC_ONLY,
    )


async def mirror_with(keys):
    mirror = mirror_of_two()
    kids = []
    for _ in range(keys):
        kids.append((await mirror.create_key(spec(KeyAlg.ED25519))).kid)
    return mirror, kids


async def timed(batch):
    """Nanoseconds for one operation, once for each batch; `batch(n)` does n of them."""
    await batch(1)
    repeats = 1
    while await batch(repeats) < BATCH / 2 or await batch(repeats) < BATCH / 2:
        repeats *= 2
    figures = []
    begun = time.perf_counter_ns()
    while not figures or (len(figures) < BATCHES and time.perf_counter_ns() - begun < BUDGET):
        figures.append(await batch(repeats) / repeats)
    return figures


async def get_key(keys):
    mirror, kids = await mirror_with(keys)
    at = 0

    async def batch(repeats):
        nonlocal at
        taken = [kids[(at + i) % keys] for i in range(repeats)]
        at += repeats
        begun = time.perf_counter_ns()
        for kid in taken:
            await mirror.get_key(kid)
        return time.perf_counter_ns() - begun

    return lambda: timed(batch)


async def get_public_jwk():
    mirror, kids = await mirror_with(KEYS)
    at = 0

    async def batch(repeats):
        nonlocal at
        taken = [kids[(at + i) % KEYS] for i in range(repeats)]
        at += repeats
        begun = time.perf_counter_ns()
        for kid in taken:
            await mirror.get_public_jwk(kid)
        return time.perf_counter_ns() - begun

    return lambda: timed(batch)


async def jwks(keys):
    mirror, _ = await mirror_with(keys)

    async def batch(repeats):
        begun = time.perf_counter_ns()
        for _ in range(repeats):
            await mirror.jwks()
        return time.perf_counter_ns() - begun

    return lambda: timed(batch)


async def create_rsa():
    mirror = mirror_of_two()
    asked = spec(KeyAlg.RSA_PSS_SHA256, size_bits=3072)

    async def some():
        figures = []
        for _ in range(12):
            begun = time.perf_counter_ns()
            await mirror.create_key(asked)
            figures.append(time.perf_counter_ns() - begun)
        return figures

    return some


async def memory(asked):
    """Bytes for each key: `asked` of Python's allocator, or `resident` in this process."""
    what, keys = asked.split()
    used = resident
    if what == "asked":
        tracemalloc.start()
        used = lambda: tracemalloc.get_traced_memory()[0]
    before = used()
    mirror = mirror_of_two()
    for _ in range(int(keys)):
        await mirror.create_key(spec(KeyAlg.ED25519))
    taken = used() - before
    tracemalloc.stop()
    return [taken / int(keys)]


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


ROWS = {"get-public-jwk": get_public_jwk, "create-rsa": create_rsa}
BY_NUMBER_OF_KEYS = {"get-key": get_key, "jwks": jwks}


async def figures_of(row):
    """What answers a line."""
    if row == "memory":
        return memory
    if row in ROWS:
        measure = await ROWS[row]()
        return lambda asked: measure()
    made = {}

    async def by_number(asked):
        if asked not in made:
            made[asked] = await BY_NUMBER_OF_KEYS[row](int(asked))
        return await made[asked]()

    return by_number


async def main(row):
    answer = await figures_of(row)
    for line in sys.stdin:
        figures = await answer(line.strip())
        print(*(f"{figure:.3f}" for figure in figures), flush=True)


asyncio.run(main(sys.argv[1]))
