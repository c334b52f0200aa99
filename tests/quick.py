"""Programs for tests that ask what something means, and not how fast it is or what users' own programs round to."""

import functools

import jax

# A third of the time to compile: LLVM's optimiser is off, and loops are written by the plainer of XLA's two emitters.
OPTIONS = {"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": False}


def _known(name: str, value: int | bool) -> bool:
    """Whether the XLA in use has the option; newer ones lost some (JAX 0.12 has only one emitter left)."""
    try:
        jax.jit(lambda x: x, compiler_options={name: value})(0.0)
    except jax.errors.JaxRuntimeError as error:
        if "No such compile option" not in str(error):
            raise
        return False
    return True


quick_jit = functools.partial(
    jax.jit, compiler_options={name: value for name, value in OPTIONS.items() if _known(name, value)}
)
