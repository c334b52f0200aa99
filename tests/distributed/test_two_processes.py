"""One KL over arrays that no single process holds: two processes, four devices each, over loopback."""

import json
import math
import os
import socket
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from tests.distributed import worker

NUM_PROCESSES = 2


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def run_workers():
    """What every process printed; if one fails or hangs all are ended, and its last words are shown."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("XLA_FLAGS", "JAX_NUM_CPU_DEVICES")
    }
    # The virtual devices of this suite are not wanted there: each process asks for its own.
    environment["XLA_FLAGS"] = "--xla_cpu_enable_concurrency_optimized_scheduler=false"
    port = free_port()
    processes = [
        subprocess.Popen(
            [sys.executable, str(Path(worker.__file__)), str(port), str(NUM_PROCESSES), str(process_id)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for process_id in range(NUM_PROCESSES)
    ]
    try:
        said = [process.communicate(timeout=120) for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, (_, errors) in zip(processes, said, strict=True):
        assert process.returncode == 0, errors
    return [json.loads(output.splitlines()[-1]) for output, _ in said]


def kl_divergence_in_numpy(p, q):
    """sum p log(p/q) - p + q of each row, in float64 with an exactly rounded sum."""
    terms = p * np.log(p / q) - p + q
    return [math.fsum(row) for row in terms]


def test_two_processes_share_one_divergence():
    dtype = jnp.zeros(()).dtype
    p, q = (table.astype(dtype).astype(np.float64) for table in worker.tables())
    truth = kl_divergence_in_numpy(p, q)
    seen = run_workers()

    # 8 ulp by the numerics contract, and as much again for the rounding of the reference when that is no wider.
    tolerance = 16 * float(jnp.finfo(dtype).eps)
    for layout, rows_held in [("batch", worker.ROWS // NUM_PROCESSES), ("category", worker.ROWS)]:
        together = {}
        for results in seen:
            assert len(results[layout]) == rows_held
            together.update({int(row): value for row, value in results[layout].items()})
        assert sorted(together) == list(range(worker.ROWS))
        values = [together[row] for row in range(worker.ROWS)]
        np.testing.assert_allclose(values, truth, rtol=tolerance, atol=0)
