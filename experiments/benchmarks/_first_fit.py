"""A process that fits twice, and prints the seconds of the first call and what JAX says they were spent on."""

import json
import sys
import time

import jax
import jax.monitoring

if __package__:
    from experiments.benchmarks import _fits
else:  # run as a script: Python looks in the folder of this file
    import _fits

COMPILE = "/jax/core/compile/backend_compile_duration"


def main(forward: bool, num_restarts: int, num_draws: int, quadrature: bool) -> dict[str, float]:
    """Returns seconds: of the first fit, of those compiling or loading what was compiled, and of a second fit."""
    compiling: list[float] = []
    run = _fits.ours(_fits.Contest(forward, num_draws, num_restarts, 1), quadrature)
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, duration_secs, **_: compiling.append(duration_secs) if event == COMPILE else None
    )
    seconds = []
    for _ in range(2):
        begin = time.perf_counter()
        run(1)
        seconds.append(time.perf_counter() - begin)
    return {"first": seconds[0], "compiling": sum(compiling), "second": seconds[1]}


if __name__ == "__main__":
    forward, num_restarts, num_draws, quadrature = json.loads(sys.argv[1])
    print(json.dumps(main(forward, num_restarts, num_draws, quadrature)))
