"""Features of known classes as voltages, in halves, and what digital classifiers reach on them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax

READ = 0.5  # volts of one standard deviation of a feature
KEPT = 24  # principal components of the digits
STEPS = 1000


def table_of(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features in volts, and classes, in an order drawn once; centred and scaled on both halves together."""
    rng = np.random.default_rng(0)
    if name == "clouds":
        y = np.arange(80) % 2
        side = np.arange(80) // 2 % 2  # the classes of two opposite corners each: no straight line parts them
        x = rng.normal(size=(80, 2)) * 0.3 + 2 * np.stack([side, side ^ y], axis=1) - 1
    else:
        try:
            from sklearn import datasets
        except ImportError as error:
            raise ValueError('`data` are those of scikit-learn: `pip install "memsim[data]"`, or "clouds".') from error
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    spread = x.std(0)
    if name == "digits":
        x = x - x.mean(0)
        x = x @ np.linalg.svd(x, full_matrices=False)[2][:KEPT].T
        spread = x.std(0).max()  # of them all: small components are mostly noise, and stay small
    order = rng.permutation(len(x))
    return (READ * (x - x.mean(0)) / spread)[order], y[order].astype(int)


def digitally(x, y, hidden: int, layers: int) -> float:
    """Accuracy on the second half of a classifier that learnt the first by cross-entropy, all of it at once."""
    half, x = len(x) // 2, jnp.asarray(x / READ, jnp.float32)
    model = eqx.nn.MLP(x.shape[1], int(y.max()) + 1, hidden, layers, activation=jnp.tanh, key=jr.key(0))
    optimiser = optax.adamw(0.01, weight_decay=0.01)

    @jax.grad
    def slope(parts):
        found = jax.vmap(eqx.combine(parts, static))(x[:half])
        return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(found, jnp.asarray(y[:half])))

    def step(state, _):
        change, memory = optimiser.update(slope(state[0]), state[1], state[0])
        return (optax.apply_updates(state[0], change), memory), None

    parts, static = eqx.partition(model, eqx.is_array)
    with jax.numpy_dtype_promotion("standard"):  # optax raises floats to powers of whole numbers
        (parts, _), _ = jax.jit(lambda begin: jax.lax.scan(step, begin, length=STEPS))((parts, optimiser.init(parts)))
    found = jax.vmap(eqx.combine(parts, static))(x[half:])
    return float(np.mean(np.argmax(found, axis=1) == y[half:]))
