"""The losses by NumPy in double precision, the boundary by hand, and gradients by their formulas."""

import functools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import optax
import pytest
from scipy.special import logsumexp

from jaxinfo import objectives
from jaxinfo.objectives import binary_cross_entropy_loss, cross_entropy_loss, cross_entropy_loss_terms
from tests.marks import once
from tests.quick import quick_jit

INF, NAN = np.inf, np.nan
# Values are sums of a few roundings of numbers of order one.
TOLERANCE = {"rtol": 64 * float(jnp.finfo(jnp.result_type(float)).eps), "atol": 16 * float(jnp.finfo(float).eps)}
RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, 4)) * 3
LABELS = np.array([0, 3, 1, 2, 2, 0])
TABLE = RNG.dirichlet(np.ones(4), size=6)


def smoothed(labels, logits, share):
    """The target as a table: the label's, with a share spread over the classes that are not masked."""
    table = np.eye(logits.shape[-1])[labels] if labels.ndim < logits.ndim else labels
    available = logits > -INF
    return (1 - share) * table + share * available / available.sum(-1, keepdims=True)


def expected(labels, logits, share=0.0, coefficient=0.0):
    """`-sum t log q` with `0 log 0 = 0`, and the coefficient times the squared normaliser."""
    target, normalizer = smoothed(labels, logits, share), logsumexp(logits, axis=-1)
    terms = np.where(target == 0, 0, target * (normalizer[..., None] - np.where(target == 0, 0, logits)))
    return terms.sum(-1) + coefficient * normalizer**2


def slope(labels, logits, share=0.0, coefficient=0.0):
    """The derivative of the sum in the logits."""
    normalizer = logsumexp(logits, axis=-1, keepdims=True)
    q = np.exp(logits - normalizer)
    return q - smoothed(labels, logits, share) + 2 * coefficient * normalizer * q


def masked():
    """The logits with classes that cannot be, none of them a label's."""
    z = LOGITS.copy()
    z[0, 1] = z[1, 0] = z[1, 2] = -INF
    return z


@pytest.mark.parametrize("labels", [LABELS, TABLE], ids=["labels", "table"])
def test_values_and_gradients(labels):
    """Smoothing and z-loss are traced, so that one program serves all; masked classes are the labels' last row."""
    z = masked() if labels is LABELS else LOGITS

    @jax.jit
    def both(logits, share, coefficient):
        def total(logits):
            loss = cross_entropy_loss(labels, logits, label_smoothing=share, z_loss=coefficient)
            return jnp.sum(loss), loss

        return jax.grad(total, has_aux=True)(logits)

    for share, coefficient in [(0.0, 0.0), (0.1, 0.0), (0.2, 1e-2), (1.0, 0.0)]:
        gradient, loss = both(jnp.asarray(z), share, coefficient)
        np.testing.assert_allclose(loss, expected(labels, z, share, coefficient), **TOLERANCE)
        # Differences of probabilities: to a rounding of one.
        np.testing.assert_allclose(gradient, slope(labels, z, share, coefficient), atol=TOLERANCE["rtol"])
    assert gradient.dtype == loss.dtype == jnp.result_type(float)


def test_parts():
    """Each part by NumPy; together they are the loss."""
    z, share, coefficient = masked(), 0.3, 0.01
    weights = np.arange(1.0, 7.0)
    parts = cross_entropy_loss_terms(LABELS, z, label_smoothing=share, z_loss=coefficient, weights=weights)
    count = (z > -INF).sum(-1)
    of_uniform = expected((z > -INF) / count[:, None], z)
    np.testing.assert_allclose(parts.cross_entropy, expected(LABELS, z), **TOLERANCE)
    np.testing.assert_allclose(parts.uniform_entropy, np.log(count), **TOLERANCE)
    np.testing.assert_allclose(parts.uniform_divergence, of_uniform - np.log(count), rtol=1e-5)
    np.testing.assert_allclose(parts.z_loss, coefficient * logsumexp(z, axis=-1) ** 2, **TOLERANCE)
    np.testing.assert_allclose(parts.loss, weights * expected(LABELS, z, share, coefficient), **TOLERANCE)
    without = cross_entropy_loss_terms(LABELS, z)
    np.testing.assert_array_equal(without.loss, without.cross_entropy)
    np.testing.assert_array_equal(without.z_loss, 0)


def test_smoothing_adds_a_divergence():
    """CE(smoothed) = H(smoothed) + KL(smoothed‖q), in exact arithmetic of thirty digits."""
    z, share = LOGITS[0], 0.2
    with mpmath.workdps(30):
        exponentials = [mpmath.exp(x) for x in z]
        q = [x / sum(exponentials) for x in exponentials]
        t = [(1 - mpmath.mpf(share)) * (k == 2) + mpmath.mpf(share) / 4 for k in range(4)]
        entropy = -sum(x * mpmath.log(x) for x in t)
        divergence = sum(x * mpmath.log(x / y) for x, y in zip(t, q, strict=True))
        truth = float(entropy + divergence)
    found = cross_entropy_loss(2, jnp.asarray(z), label_smoothing=share)
    np.testing.assert_allclose(found, truth, **TOLERANCE)


def test_finite_where_optax_is_not():
    """A masked class under a zero label: log 2, where Optax gives NaN; forward mode, too."""
    z, table = jnp.array([-jnp.inf, 0.0, 0.0]), jnp.array([0.0, 1.0, 0.0])
    assert jnp.isnan(optax.softmax_cross_entropy(z, table))
    # The `safe` one of Optax 0.2.8 has the value, but no forward derivative.
    np.testing.assert_allclose(cross_entropy_loss(table, z), np.log(2), rtol=1e-6)
    np.testing.assert_allclose(quick_jit(jax.grad(cross_entropy_loss, argnums=1))(table, z), [0, -0.5, 0.5], atol=1e-6)
    np.testing.assert_allclose(
        quick_jit(jax.jacfwd(cross_entropy_loss, argnums=1))(table, z), [0, -0.5, 0.5], atol=1e-6
    )
    hessian = [[0, 0, 0], [0, 0.25, -0.25], [0, -0.25, 0.25]]
    np.testing.assert_allclose(quick_jit(jax.hessian(cross_entropy_loss, argnums=1))(table, z), hessian, atol=1e-6)
    assert jnp.isnan(optax.sigmoid_binary_cross_entropy(jnp.array(jnp.inf), jnp.array(1.0)))
    assert binary_cross_entropy_loss(1.0, jnp.inf) == 0


def test_boundary():
    """A masked label is infinite, also smoothed; other labels are NaN; a share of one asks for no label."""
    z = jnp.array([[-jnp.inf, 0.0, 0.0], [0.0, 0.0, 0.0], [-jnp.inf, -jnp.inf, 0.0]])
    labels = jnp.array([0, 3, 2])
    loss = lambda z, share: cross_entropy_loss(labels, z, label_smoothing=share)  # noqa: E731
    np.testing.assert_array_equal(loss(z, 0.0), [INF, NAN, 0])
    np.testing.assert_array_equal(loss(z, 0.5), [INF, NAN, 0])
    np.testing.assert_allclose(loss(z, jnp.array(1.0))[0], np.log(2), rtol=1e-6)
    gradient = quick_jit(jax.grad(lambda z: loss(z, 0.5)[0]))(z)
    np.testing.assert_allclose(gradient, [[-0.5, 0.25, 0.25], [0, 0, 0], [0, 0, 0]], atol=1e-6)
    # A confident right answer keeps its digits.
    sure = cross_entropy_loss(0, jnp.array([0.0, -20.0]))
    np.testing.assert_allclose(sure, np.log1p(np.exp(-20.0)), rtol=1e-6)


def test_what_is_not_kept_is_not_seen():
    """By a mask, a weight of zero, or a label that stands for none: value 0 and gradient 0, whatever is there."""
    z = np.where(np.arange(6)[:, None] % 2 == 0, LOGITS, np.array([0, NAN, 0, INF, 0, -INF])[:, None])
    keep = np.arange(6) % 2 == 0
    labels = np.where(keep, LABELS, -100)
    every = [
        (LABELS, {"where": keep}),
        (np.where(keep[:, None], TABLE, NAN), {"where": keep}),
        (LABELS, {"weights": keep.astype(z.dtype)}),
        (labels, {"ignore_index": -100}),
        (labels, {"ignore_index": -100, "where": np.ones(6, bool), "weights": np.ones(6)}),
    ]
    for given, options in every:
        total = lambda z, y=given, o=options: jnp.sum(  # noqa: E731
            cross_entropy_loss(y, z, label_smoothing=0.1, z_loss=0.01, **o)
        )
        truth = np.where(np.isnan(given), 0, given) if given.ndim == 2 else LABELS
        value, gradient = quick_jit(jax.value_and_grad(total))(jnp.asarray(z))
        np.testing.assert_allclose(value, expected(truth, LOGITS, 0.1, 0.01)[keep].sum(), **TOLERANCE)
        np.testing.assert_allclose(gradient, slope(truth, LOGITS, 0.1, 0.01) * keep[:, None], atol=TOLERANCE["rtol"])
    of_table = lambda t: jnp.sum(cross_entropy_loss(t, z, where=keep))  # noqa: E731
    in_table = quick_jit(jax.grad(of_table))(jnp.asarray(TABLE))
    surprisal = np.where(keep[:, None], logsumexp(LOGITS, axis=-1, keepdims=True) - LOGITS, 0)
    np.testing.assert_allclose(in_table, surprisal, **TOLERANCE)


def test_transformations():
    """`axis`, `vmap` with a smoothing for each lane, `scan`, and one program for all shares."""
    shares = jnp.array([0.0, 0.2])
    lanes = jax.vmap(lambda z, share: cross_entropy_loss(LABELS, z, label_smoothing=share), in_axes=(None, 0))
    truth = np.stack([expected(LABELS, LOGITS, share) for share in (0.0, 0.2)])
    np.testing.assert_allclose(lanes(jnp.asarray(LOGITS), shares), truth, **TOLERANCE)
    first = cross_entropy_loss(LABELS, LOGITS.T, axis=0)
    np.testing.assert_allclose(first, expected(LABELS, LOGITS), **TOLERANCE)
    three = cross_entropy_loss(LABELS.reshape(2, 3), LOGITS.reshape(2, 3, 4).transpose(0, 2, 1), axis=1)
    np.testing.assert_allclose(three, expected(LABELS, LOGITS).reshape(2, 3), **TOLERANCE)
    body = lambda carry, row: (carry + cross_entropy_loss(row[0], row[1]), None)  # noqa: E731
    scanned = jax.lax.scan(body, jnp.zeros(()), (jnp.asarray(LABELS), jnp.asarray(LOGITS)))[0]
    np.testing.assert_allclose(scanned, expected(LABELS, LOGITS).sum(), **TOLERANCE)
    of_share = lambda share: jnp.sum(cross_entropy_loss(LABELS, LOGITS, label_smoothing=share))  # noqa: E731
    in_share = quick_jit(jax.grad(of_share))(0.1)
    np.testing.assert_allclose(in_share, np.sum(expected(LABELS, LOGITS, 1.0) - expected(LABELS, LOGITS)), rtol=1e-4)


@once
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_half_precision_is_summed_in_single(dtype):
    """To a rounding of the result, whatever the number of classes."""
    z = jnp.asarray(RNG.normal(size=(3, 1000))).astype(dtype)
    wide = np.asarray(z.astype(jnp.float32), np.float64)
    labels = np.array([1, 500, 999])
    loss = cross_entropy_loss(labels, z, label_smoothing=0.1, z_loss=1e-2)
    assert loss.dtype == dtype
    np.testing.assert_allclose(
        np.asarray(loss, np.float64), expected(labels, wide, 0.1, 1e-2), rtol=float(jnp.finfo(dtype).eps)
    )
    coin = binary_cross_entropy_loss(labels < 600, z[:, 0])
    assert coin.dtype == dtype


@once
@pytest.mark.parametrize("function", [cross_entropy_loss, cross_entropy_loss_terms])
@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((np.zeros(6), LOGITS), {}, TypeError, "labels of shape"),
        ((np.zeros((5,), int), LOGITS), {}, ValueError, r"labels must have shape \(6,\)"),
        ((0, 1.0), {}, ValueError, "axis of classes"),
        ((LABELS, LOGITS), {"axis": 2}, ValueError, "axis 2"),
        ((LABELS, LOGITS + 0j), {}, TypeError, "real numbers"),
        ((LABELS, LOGITS), {"label_smoothing": 1.5}, ValueError, "label_smoothing must lie in"),
        ((LABELS, LOGITS), {"label_smoothing": jnp.zeros(6)}, ValueError, "label_smoothing must be a scalar"),
        ((LABELS, LOGITS), {"z_loss": -1.0}, ValueError, "z_loss must be a finite"),
        ((LABELS, LOGITS), {"z_loss": jnp.zeros(2)}, ValueError, "z_loss must be a scalar"),
        ((TABLE, LOGITS), {"ignore_index": 0}, ValueError, "ignore_index is for integer labels"),
        ((LABELS, LOGITS), {"where": np.ones(6)}, TypeError, "where must be boolean"),
        ((LABELS, LOGITS), {"where": np.ones(5, bool)}, ValueError, "where of shape"),
        ((LABELS, LOGITS), {"weights": np.ones(5)}, ValueError, "weights of shape"),
    ],
)
def test_errors(function, arguments, options, error, message):
    with pytest.raises(error, match=f"{function.__name__}: .*{message}"):
        function(*arguments, **options)


def coin(y, z):
    """By mpmath with fifty digits, with `0 inf = 0`."""
    with mpmath.workdps(50):
        heads = mpmath.log1p(mpmath.exp(-z)) if np.isfinite(z) else (0 if z > 0 else mpmath.inf)
        tails = mpmath.log1p(mpmath.exp(z)) if np.isfinite(z) else (0 if z < 0 else mpmath.inf)
        return float((y * heads if y else 0) + ((1 - y) * tails if y < 1 else 0))


def test_binary():
    """Values by mpmath, gradients by their formulas, also where the log-odds are infinite."""
    y, z = (x.ravel() for x in np.meshgrid([0.0, 0.25, 0.5, 1.0], [-INF, -100.0, -2.5, 0.0, 0.5, 30.0, INF]))
    truth = [coin(*pair) for pair in zip(y, z, strict=True)]
    value, pull = jax.vjp(binary_cross_entropy_loss, jnp.asarray(y), jnp.asarray(z))
    np.testing.assert_allclose(value, truth, **TOLERANCE)
    in_y, in_z = pull(jnp.ones_like(value))
    np.testing.assert_array_equal(np.isfinite(in_z), True)
    np.testing.assert_allclose(in_z, 1 / (1 + np.exp(-np.clip(z, -500, 500))) - y, atol=1e-6)
    np.testing.assert_allclose(in_y, np.where(np.isinf(z) & (np.array(truth) == 0), 0, -z), rtol=1e-6)
    # A right answer of high confidence has a small gradient with all its digits.
    small = jax.grad(binary_cross_entropy_loss, argnums=1)(1.0, 60.0)
    np.testing.assert_allclose(small, -np.exp(-60.0), rtol=1e-5)
    curvature = jax.grad(jax.grad(binary_cross_entropy_loss, argnums=1), argnums=1)
    np.testing.assert_allclose(
        jax.vmap(curvature)(jnp.array([0.3, 0.3]), jnp.array([0.0, 2.0])), [0.25, 0.104993585], rtol=1e-6
    )
    np.testing.assert_array_equal(binary_cross_entropy_loss(jnp.array([-0.1, 1.1, NAN]), jnp.zeros(3)), NAN)


def test_binary_masks_and_kinds_of_labels():
    keep, z = np.array([True, False, True]), jnp.array([1.0, NAN, -2.0])
    expected_values = [np.log1p(np.exp(-1.0)), 0, np.log1p(np.exp(-2.0))]
    for labels in (np.array([True, True, False]), np.array([1, 7, 0]), np.array([1.0, NAN, 0.0])):
        loss = lambda z, y=labels, **options: binary_cross_entropy_loss(y, z, **options)  # noqa: E731
        np.testing.assert_allclose(loss(z, where=keep), expected_values, rtol=1e-6)
        weighted = loss(z, weights=np.array([2.0, 0.0, 3.0]))
        np.testing.assert_allclose(weighted, np.array([2, 0, 3]) * expected_values, rtol=1e-6)
        gradient = jax.grad(lambda z, f=loss: jnp.sum(f(z, where=keep)))(z)
        np.testing.assert_allclose(gradient, [-1 / (1 + np.exp(1.0)), 0, 1 / (1 + np.exp(2.0))], rtol=1e-6)
    with pytest.raises(ValueError, match="binary_cross_entropy_loss: shapes do not broadcast"):
        binary_cross_entropy_loss(jnp.zeros(2), jnp.zeros(3))


def test_two_classes_are_a_coin():
    """A class of logit z against one of 0."""
    z = jnp.linspace(-30.0, 30.0, 13)
    of_classes = cross_entropy_loss(jnp.ones(13, int), jnp.stack([jnp.zeros(13), z], -1))
    np.testing.assert_allclose(of_classes, binary_cross_entropy_loss(1.0, z), **TOLERANCE)


@once
def test_an_option_that_is_traced_is_compiled_once():
    traces = []

    @jax.jit
    def step(share):
        traces.append(1)
        return objectives.example_mean(cross_entropy_loss(LABELS, LOGITS, label_smoothing=share))

    losses = [float(step(share)) for share in (0.0, 0.1, 0.2)]
    assert len(traces) == 1
    means = [expected(LABELS, LOGITS, share).mean() for share in (0.0, 0.1, 0.2)]
    np.testing.assert_allclose(losses, means, rtol=1e-5)
    assert functools.reduce(lambda a, b: a and b, np.diff(losses) != 0)


def test_labels_without_a_sign_are_not_ignored():
    """In `uint8` -1 and 255 are the same number, and class 255 is a class."""
    labels = jnp.array([255, 3], jnp.uint8)
    found = objectives.cross_entropy_loss(labels, jnp.zeros((2, 256)), ignore_index=-1)
    np.testing.assert_allclose(found, np.log(256), rtol=1e-6)
    assert objectives.cross_entropy_loss(labels, jnp.zeros((2, 256)), ignore_index=3)[1] == 0


def test_weights_of_what_is_not_kept_may_be_anything():
    keep, weights = jnp.array([True, False]), jnp.array([2.0, jnp.nan])

    def loss(smoothing, logits):
        losses = objectives.cross_entropy_loss(
            jnp.array([0, 1]), logits, label_smoothing=smoothing, where=keep, weights=weights
        )
        return jnp.sum(losses)

    value, (in_smoothing, in_logits) = jax.value_and_grad(loss, argnums=(0, 1))(0.5, jnp.zeros((2, 2)))
    np.testing.assert_allclose(value, 2 * np.log(2), rtol=1e-6)
    np.testing.assert_allclose(in_smoothing, 0, atol=1e-6)  # log 2 either way
    np.testing.assert_allclose(in_logits, [[-0.5, 0.5], [0, 0]], atol=1e-6)  # 2 (softmax - (3/4, 1/4))
