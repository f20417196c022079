"""A random key as plain numbers, which files can hold: `equinox.tree_serialise_leaves` writes no typed keys."""

import equinox as eqx
import jax.random as jr
from jaxtyping import Array, Key, UInt32


class StoredKey(eqx.Module):
    """A key as its numbers and the name of their implementation; `StoredKey.of(key).key` is `key`.

    **Arguments:**

    - `words`: The numbers.
    - `implementation`: Such as "threefry2x32".
    """

    words: UInt32[Array, "..."]
    implementation: str = eqx.field(static=True)

    @classmethod
    def of(cls, key: Key[Array, "..."]) -> "StoredKey":
        """`key` as its numbers."""
        return cls(jr.key_data(key), str(jr.key_impl(key)))

    @property
    def key(self) -> Key[Array, "..."]:
        """What it has been made of."""
        return jr.wrap_key_data(self.words, impl=self.implementation)
