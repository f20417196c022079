"""Where a traced function reads a matrix, and the same function with what goes in and comes out of each read open."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import jax.random as jr
from jax.extend.core import ClosedJaxpr, Literal
from jaxtyping import Array, Key

from ._periphery import Periphery


class Read(NamedTuple):
    """One product with matrix number `matrix`: its shape and type, and which of its axes are the matrix's outputs."""

    matrix: int
    shape: tuple[int, ...]
    dtype: Any
    output_axis: int


class _Matrix(NamedTuple):
    """A traced value that is matrix `number`, perhaps transposed."""

    number: int
    input_axis: int


class Reader:
    """Runs a traced function of some matrices and of other arrays, and meets every product with one of the matrices.

    A read is a `dot_general` that sums over a matrix's inputs, at the top of the function or in a function called
    there by `jax.jit`. What else is done with a matrix, as in the body of a scan, puts its number in `closed`: its
    reads are not all seen.

    **Arguments:**

    - `slots`: An array for each read, in order, which is added to the product: its cotangent is the error that comes
        back to the read. `None`, in place of one or all, adds nothing.
    - `periphery`: What stands before and behind the matrix in a read, or `None`; `key`: for its noise.
    """

    def __init__(
        self,
        slots: Sequence[Array | None] | None = None,
        periphery: Periphery | None = None,
        key: Key[Array, ""] | None = None,
    ):
        self.slots, self.periphery, self.key = slots, periphery, key
        self.reads: list[Read] = []
        self.inputs: list[Array] = []  # what drives the matrix, (reads, inputs)
        self.closed: set[int] = set()

    def run(self, traced: ClosedJaxpr, matrices: Sequence[Array], others: Sequence[Array]) -> list[Array]:
        """The outputs of `traced`, whose first inputs are the `matrices`."""
        known: list[_Matrix | None] = [_Matrix(number, 1) for number in range(len(matrices))]
        return self._run(traced, [*matrices, *others], [*known, *[None] * len(others)])[0]

    def _run(
        self, traced: ClosedJaxpr, values: Sequence[Any], known: Sequence[_Matrix | None]
    ) -> tuple[list[Any], list[_Matrix | None]]:
        jaxpr = traced.jaxpr
        value_of = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*traced.consts, *values], strict=True))
        matrix_of = dict(zip(jaxpr.invars, known, strict=True))

        def value(atom: Any) -> Any:
            return atom.val if isinstance(atom, Literal) else value_of[atom]

        def matrix(atom: Any) -> _Matrix | None:
            return None if isinstance(atom, Literal) else matrix_of.get(atom)

        for equation in jaxpr.eqns:
            ins = [value(atom) for atom in equation.invars]
            outs, found = self._equation(equation, ins, [matrix(atom) for atom in equation.invars])
            value_of.update(zip(equation.outvars, outs, strict=True))
            matrix_of.update(zip(equation.outvars, found, strict=True))
        return [value(atom) for atom in jaxpr.outvars], [matrix(atom) for atom in jaxpr.outvars]

    def _equation(
        self, equation: Any, ins: list[Any], known: list[_Matrix | None]
    ) -> tuple[list[Any], list[_Matrix | None]]:
        name, met = equation.primitive.name, [matrix for matrix in known if matrix is not None]
        if met and name in ("jit", "pjit"):
            return self._run(equation.params["jaxpr"], ins, known)
        with equation.ctx.manager:
            outs = equation.primitive.bind(*ins, **equation.primitive.get_bind_params(equation.params))
        outs = list(outs) if equation.primitive.multiple_results else [outs]
        if met and name == "transpose":
            axis = equation.params["permutation"].index(met[0].input_axis)
            return outs, [_Matrix(met[0].number, axis)]
        if met and name == "dot_general" and (side := _side(equation, known)) is not None:
            return [self._read(equation, ins, met[0], side, outs[0])], [None]
        self.closed.update(matrix.number for matrix in met)
        return outs, [None] * len(outs)

    def _read(self, equation: Any, ins: list[Any], matrix: _Matrix, side: int, product: Array) -> Array:
        contracted, _ = equation.params["dimension_numbers"]
        (axis,) = contracted[1 - side]
        inputs = jnp.moveaxis(ins[1 - side], axis, -1)
        slot = None if self.slots is None else self.slots[len(self.reads)]
        if self.periphery is not None and matrix.number not in self.closed:
            key = None if self.key is None else jr.fold_in(self.key, len(self.reads))
            weight = ins[side] if matrix.input_axis == 1 else ins[side].T
            product = jnp.moveaxis(self.periphery.read(inputs, weight, key=key), -1, 0 if side == 0 else -1)
        self.inputs.append(inputs.reshape(-1, inputs.shape[-1]))
        self.reads.append(Read(matrix.number, product.shape, product.dtype, 0 if side == 0 else product.ndim - 1))
        return product if slot is None else product + slot


def _side(equation: Any, known: list[_Matrix | None]) -> int | None:
    """Which operand of a product is a matrix summed over its inputs; `None` where both are, or it is summed else."""
    contracted, batch = equation.params["dimension_numbers"]
    sides = [side for side, matrix in enumerate(known) if matrix is not None]
    if len(sides) != 1 or any(batch):
        return None
    (side,) = sides
    matrix = known[side]
    return side if matrix is not None and tuple(contracted[side]) == (matrix.input_axis,) else None
