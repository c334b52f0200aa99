"""Programs for tests that ask what something means, and not how fast it is or what users' own programs round to."""

import functools

import jax

# A third of the time to compile: LLVM's optimiser is off, and loops are written by the plainer of XLA's two emitters.
quick_jit = functools.partial(
    jax.jit, compiler_options={"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}
)
