"""One of several processes that hold a piece each of the same tables; started by test_two_processes.py.

Prints as JSON what this process can see of KL(p‖q): for each layout, the rows it holds and their values.
"""

import json
import sys

import numpy as np

ROWS, CATEGORIES = 16, 96


def tables():
    """The whole tables p and q in the default float of the parent; every process draws the same."""
    rng = np.random.default_rng(7)
    return rng.dirichlet(np.full(CATEGORIES, 0.5), size=(2, ROWS))


def held(array):
    """Row number and value of every row of a result that this process holds, once each."""
    rows = {}
    for shard in array.addressable_shards:
        start = shard.index[0].start or 0
        rows.update({start + offset: float(value) for offset, value in enumerate(np.asarray(shard.data))})
    return rows


def main(port, num_processes, process_id):
    import jax

    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", 4)
    jax.distributed.initialize(f"127.0.0.1:{port}", num_processes, process_id, initialization_timeout=60)

    from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

    import jaxinfo

    assert jax.device_count() == 4 * num_processes
    assert jax.local_device_count() == 4
    mesh = Mesh(np.array(jax.devices()), ("all",), axis_types=(AxisType.Auto,))
    dtype = jax.numpy.zeros(()).dtype
    results = {}
    for layout, spec, axis in [("batch", ("all", None), 0), ("category", (None, "all"), 1)]:
        sharding = NamedSharding(mesh, PartitionSpec(*spec))
        pieces = [np.split(table.astype(dtype), num_processes, axis)[process_id] for table in tables()]
        p, q = (jax.make_array_from_process_local_data(sharding, piece) for piece in pieces)
        assert p.shape == (ROWS, CATEGORIES)
        assert not p.is_fully_addressable
        results[layout] = held(jaxinfo.kl_divergence(p, q))
    print(json.dumps(results), flush=True)
    jax.distributed.shutdown()


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
