"""The same fits in each library: Gaussians onto a mixture of two, by Adam on the draws of every step."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxinfo.densities import MonteCarlo, Reparameterized, StickingTheLanding
from jaxinfo.distributions import Mixture, Normal
from jaxinfo.projections import ForwardKL, ReverseKL, fit

WEIGHTS, MEANS = (0.5, 0.5), (-3.0, 3.0)
STARTS = (-4.0, 4.0)
RATE = 1e-2


@dataclasses.dataclass(frozen=True)
class Contest:
    """What all of them are asked for.

    Args:
      forward: whether it is KL(p||q), otherwise KL(q||p).
      num_draws: of the target, or of each approximation, in one step.
      num_restarts: Gaussians that are fitted at once, from means along `STARTS` and the scale 1.
      num_steps: of Adam.
    """

    forward: bool
    num_draws: int
    num_restarts: int
    num_steps: int

    @property
    def starts(self) -> np.ndarray:
        """The means at the start."""
        return np.linspace(*STARTS, self.num_restarts, dtype=np.float32)


# From a number of steps to means and scales at their end.
Run = Callable[[int], tuple[np.ndarray, np.ndarray]]


def target() -> Mixture:
    """Returns the mixture, as this library has it."""
    return Mixture(jnp.array(WEIGHTS), Normal(jnp.array(MEANS), 1.0))


def ours(contest: Contest, quadrature: bool = False, common: bool = False) -> Run:
    """Returns `fit`, by draws, which the restarts may have in common, or by the default, which integrates."""
    divergence, gradient = (ForwardKL(), Reparameterized()) if contest.forward else (ReverseKL(), StickingTheLanding())
    optimizer, p = optax.adam(RATE), target()
    starts = Normal(jnp.asarray(contest.starts), 1.0)
    method = None
    if not quadrature:
        method = MonteCarlo(jax.random.key(0), contest.num_draws, gradient, control_variate=0.0)

    def run(num_steps: int) -> tuple[np.ndarray, np.ndarray]:
        options = {"num_steps": num_steps, "method": method, "common_random_numbers": "lanes" if common else "none"}
        found = fit(p, starts, divergence, optimizer=optimizer, **options).optimum
        return np.asarray(found.loc), np.asarray(found.scale)

    return run


def numpyro(contest: Contest, particles: bool, common: bool = False) -> Run:
    """Returns `SVI`, mapped over restarts in one compiled scan, with keys of their own or one for all."""
    svi, draws = _svi(contest, particles)
    infer_state = importlib.import_module("numpyro.infer.svi").SVIState
    own = None if common else 0

    @jax.jit
    def scan(starts: jax.Array) -> dict[str, jax.Array]:
        key = jax.random.key(0)
        keys = key if common else jax.random.split(key, contest.num_restarts)
        # Of a state the optimizer's part is mapped, and its key where there are many.
        axes = infer_state(0, None, own)
        start_all = jax.vmap(lambda key, start: svi.init(key, start, *draws(key)), (own, 0), axes)
        states = start_all(keys, starts)

        def update(state: Any, key: jax.Array, start: jax.Array, count: jax.Array) -> Any:
            return svi.update(state, start, *draws(jax.random.fold_in(key, count)))[0]

        def step(states: Any, count: jax.Array) -> tuple[Any, None]:
            return jax.vmap(update, (axes, own, 0, None), axes)(states, keys, starts, count), None

        last = jax.lax.scan(step, states, jnp.arange(contest.num_steps))[0]
        return jax.vmap(svi.get_params, (axes,))(last)

    def run(num_steps: int) -> tuple[np.ndarray, np.ndarray]:
        del num_steps  # the length of a scan is compiled into it
        found = scan(jnp.asarray(contest.starts))
        return np.asarray(found["loc"]), np.asarray(found["scale"])

    return run


def _svi(contest: Contest, particles: bool) -> tuple[Any, Callable[[jax.Array], tuple[jax.Array, ...]]]:
    """Returns numpyro's objective and optimizer, and the draws from a key that an update takes.

    Reverse KL is the ELBO, of as many particles, or of a plate of as many draws that counts as one: a key and a trace
    for every particle cost more. Forward KL is no objective of SVI, but the likelihood of fresh draws of the target
    under a model without a guide has the same gradient; unlike the divergence, it needs no density of the target.
    """
    pyro, infer = importlib.import_module("numpyro"), importlib.import_module("numpyro.infer")
    dist, count = pyro.distributions, contest.num_draws
    mixture = dist.MixtureSameFamily(dist.Categorical(jnp.array(WEIGHTS)), dist.Normal(jnp.array(MEANS), 1.0))

    def draw(density: Any, values: jax.Array | None = None) -> None:
        if particles:
            pyro.sample("x", density)
            return
        with pyro.handlers.scale(scale=1 / count), pyro.plate("draws", count):
            pyro.sample("x", density, obs=values)

    def approximation(start: jax.Array, values: jax.Array | None = None) -> None:
        scale = pyro.param("scale", jnp.ones(()), constraint=dist.constraints.positive)
        draw(dist.Normal(pyro.param("loc", start), scale), values)

    adam = pyro.optim.optax_to_numpyro(optax.adam(RATE))
    elbo = infer.Trace_ELBO(num_particles=count if particles else 1)
    if contest.forward:
        return infer.SVI(approximation, lambda *_: None, adam, elbo), lambda key: (mixture.sample(key, (count,)),)
    return infer.SVI(lambda *_: draw(mixture), approximation, adam, elbo), lambda _: ()


def torch(contest: Contest, num_threads: int | None) -> Run:
    """Returns `torch.distributions` on a batch of restarts, step by step, without checks of arguments."""
    library = importlib.import_module("torch")
    dist = library.distributions
    components = dist.Normal(library.tensor(MEANS), library.ones(2), validate_args=False)
    weights = dist.Categorical(library.tensor(WEIGHTS), validate_args=False)
    mixture = dist.MixtureSameFamily(weights, components, validate_args=False)
    all_threads, shape = library.get_num_threads(), (contest.num_draws, contest.num_restarts)

    def loss(loc: Any, log_scale: Any) -> Any:
        q = dist.Normal(loc, log_scale.exp(), validate_args=False)
        if contest.forward:
            return -q.log_prob(mixture.sample(shape)).mean(0).sum()
        x = q.rsample(shape[:1])
        return (q.log_prob(x) - mixture.log_prob(x)).mean(0).sum()

    def run(num_steps: int) -> tuple[np.ndarray, np.ndarray]:
        library.set_num_threads(num_threads or all_threads)
        loc = library.from_numpy(contest.starts.copy()).requires_grad_()
        log_scale = library.zeros(contest.num_restarts, requires_grad=True)
        adam = library.optim.Adam([loc, log_scale], lr=RATE, fused=True)
        for _ in range(num_steps):
            adam.zero_grad()
            loss(loc, log_scale).backward()
            adam.step()
        library.set_num_threads(all_threads)
        return loc.detach().numpy(), log_scale.detach().exp().numpy()

    return run


def contestants(contest: Contest) -> dict[str, Run]:
    """Returns all that can be run, ours first, peers in each of the forms that could be the fastest."""
    found = {
        "ours": ours(contest),
        "ours, common draws": ours(contest, common=True),
        "ours, quadrature": ours(contest, quadrature=True),
    }
    for name, make in (
        ("numpyro, particles", lambda: numpyro(contest, particles=True)),
        ("numpyro, plate", lambda: numpyro(contest, particles=False)),
        ("numpyro, plate, common draws", lambda: numpyro(contest, particles=False, common=True)),
        ("torch, one thread", lambda: torch(contest, 1)),
        ("torch, all threads", lambda: torch(contest, None)),
    ):
        if contest.forward and name == "numpyro, particles":
            continue
        try:
            found[name] = make()
        except ImportError:
            print(f"{name.split(',')[0]} is not installed: left out")
    return found
