"""Convolutions with channels last against those of XLA, and reads of whole images against reads of their patches."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from jax import lax

import device_models as dm
import memsim as ms
from helpers import slow
from memsim.nn._synapses._faces import slid
from memsim.nn._synapses._patches import Slide, in_patches

CASES = {
    "plain": (Slide((3, 3), ((1, 1), (1, 1)), (1, 1), (1, 1), (1, 1)), (2, 8, 7, 3), 4),
    "stride, dilation, uneven edges": (Slide((2, 3), ((0, 1), (2, 0)), (1, 1), (2, 1), (1, 2)), (2, 8, 7, 3), 4),
    "spread": (Slide((3, 3), ((2, 1), (2, 2)), (2, 3), (1, 1), (1, 1)), (2, 4, 5, 2), 3),
    "groups": (Slide((3, 3), ((1, 1), (1, 1)), (1, 1), (1, 1), (1, 1), 2), (2, 6, 6, 4), 6),
    "signal": (Slide((5,), ((2, 2),), (1,), (2,), (1,)), (3, 11, 2), 4),
    "volume": (Slide((2, 2, 2), ((0, 0),) * 3, (1,) * 3, (1,) * 3, (1,) * 3), (1, 4, 5, 3, 2), 3),
}


def of_xla(how, x, weight):
    """The same, channels first."""
    kernel = weight.T.reshape(weight.shape[1], -1, *how.kernel)
    y = lax.conv_general_dilated(
        jnp.moveaxis(x, -1, 1),
        kernel,
        how.step,
        how.around,
        how.spread,
        how.dilation,
        feature_group_count=how.groups,
        precision="highest",
    )
    return jnp.moveaxis(y, 1, -1)


def given(case):
    how, shape, columns = CASES[case]
    rows = shape[-1] // how.groups * len(how.elements)
    return how, jr.normal(jr.key(0), shape), jr.normal(jr.key(1), (rows, columns))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("form", [slid, in_patches])
def test_values_and_both_gradients_are_those_of_xla(case, form):
    how, x, weight = given(case)

    @functools.partial(jax.jit, static_argnums=0)
    def both(form, x, weight):
        gradient = jax.grad(lambda x, weight: jnp.sum(jnp.sin(form(how, x, weight))), (0, 1))
        return form(how, x, weight), gradient(x, weight)

    (found, gradients), (expected, references) = both(form, x, weight), both(of_xla, x, weight)
    assert found.shape[1:-1] == how.out(x.shape[1:-1])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    for mine, reference in zip(gradients, references, strict=True):
        np.testing.assert_allclose(mine, reference, atol=1e-4)


def test_forward_mode_and_second_derivatives_are_those_of_xla():
    how, x, weight = given("plain")
    change = jr.normal(jr.key(2), weight.shape)

    def slope(form):
        return lambda weight: jax.jvp(lambda w: jnp.sum(jnp.sin(form(how, x, w))), (weight,), (change,))[1]

    np.testing.assert_allclose(slope(slid)(weight), slope(of_xla)(weight), rtol=1e-4)
    np.testing.assert_allclose(jax.grad(slope(slid))(weight), jax.grad(slope(of_xla))(weight), atol=1e-3)


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0)])
def test_mapped_axes_give_what_a_loop_gives(axes):
    how, x, weight = given("plain")
    xs, weights = (jnp.stack([a, 2 * a, -a]) for a in (x, weight))
    inputs = xs if axes[0] == 0 else x, weights if axes[1] == 0 else weight
    found = jax.vmap(lambda x, w: slid(how, x, w), axes)(*inputs)
    for place in range(3):
        one = (a if axis is None else a[place] for a, axis in zip(inputs, axes, strict=True))
        np.testing.assert_allclose(found[place], of_xla(how, *one), atol=1e-4)


@pytest.mark.parametrize("rows", [slice(None), slice(0, 27), slice(4, 9), slice(11, 27), slice(13, 14)])
def test_some_rows_meet_their_channels_only(rows):
    how, x, weight = given("plain")
    inside = jnp.zeros(len(weight), bool).at[rows].set(True)
    channels, part = how.of_rows(weight, rows)
    np.testing.assert_allclose(
        slid(how, x[..., channels], part), of_xla(how, x, jnp.where(inside[:, None], weight, 0.0)), atol=1e-5
    )


PCM = dm.pcm_joshi2020()
DESIGNS = {
    "one tile": ms.Crossbar(PCM, dac=ms.DAC(8), adc=ms.ADC(8, 4.0)),
    "tiles within channels": ms.Crossbar(PCM, dac=ms.DAC(6), adc=ms.ADC(8, 4.0), tile=(7, 3)),
    "no converters": ms.Crossbar(PCM, reads=ms.Reads("per_read")),
    "durations, white noise": ms.Crossbar(
        PCM, dac=ms.PulseWidthDAC(5), adc=ms.ADC(9, 4.0), tile=(10, 8), reads=ms.Reads("by_spectrum")
    ),
    "bits in turn": ms.Crossbar(PCM, dac=ms.BitSerialDAC(4), adc=ms.ADC(9, 4.0), reads=ms.Reads("per_read")),
    "shared reference": ms.Crossbar(PCM, mapping=ms.OffsetColumn(), dac=ms.DAC(6), adc=ms.ADC(8, 4.0)),
    "wires": ms.Crossbar(PCM, dac=ms.DAC(6), adc=ms.ADC(8, 4.0), wires=ms.ResistiveWires(2.0, 2.0)),
    "drivers that differ": ms.Crossbar(PCM, dac=ms.DAC(6, errors=ms.ConverterErrors(gain=0.1)), adc=ms.ADC(8, 4.0)),
}
QUICK = ("tiles within channels", "durations, white noise", "bits in turn")


@pytest.mark.parametrize(
    ("name", "groups"), [*((name, 1) if name in QUICK else slow(name, 1) for name in DESIGNS), ("one tile", 3)]
)
def test_an_image_is_read_as_its_patches_are(name, groups):
    layer = ms.nn.Conv2d(3, 6, 3, padding=1, stride=2, groups=groups, key=jr.key(0))
    placed = eqx.filter_jit(ms.deploy)(layer, DESIGNS[name], 3600.0, key=jr.key(1))
    x, key = jr.uniform(jr.key(2), (3, 9, 8), minval=-1.0), jr.key(3)
    matrix = getattr(placed.weight, "matrix", placed.weight)
    assert isinstance(matrix, ms.AnalogMatrix)
    by_patches = eqx.filter_jit(layer.as_wired(matrix))(layer.word_lines(x), key=key)
    found = eqx.filter_jit(placed)(x, key=key)
    step = 2 * float(jnp.max(jnp.abs(by_patches))) / 127  # a code of the ADC, where rounding fell on the other side
    assert float(jnp.mean(jnp.abs(found.reshape(6, -1).T - by_patches) > 1e-5 * step)) < 0.03
    np.testing.assert_allclose(found.reshape(6, -1).T, by_patches, atol=step)


def test_gradients_of_many_images_are_summed_a_block_at_a_time(monkeypatch):
    how, x, weight = given("stride, dilation, uneven edges")
    many = jr.normal(jr.key(3), (7, *x.shape[1:]))

    def gradient(form):
        return jax.grad(lambda weight: jnp.sum(jnp.sin(form(how, many, weight))))(weight)

    monkeypatch.setattr("memsim.nn._synapses._faces.BLOCK", 2**12)  # three blocks, the last with two images
    np.testing.assert_allclose(gradient(slid), gradient(of_xla), atol=1e-4)


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0)])
@pytest.mark.parametrize("inside", [True, False], ids=["gradient of each", "gradient of the sum"])
def test_gradients_over_mapped_axes_are_those_of_xla(axes, inside):
    how, x, weight = given("plain")
    xs, weights = (jnp.stack([a, 2 * a, -a]) for a in (x, weight))
    inputs = xs if axes[0] == 0 else x, weights if axes[1] == 0 else weight

    def gradients(form):
        def one(x, weight):
            return jnp.sum(jnp.sin(form(how, x, weight)))

        if inside:
            return jax.vmap(jax.grad(one, (0, 1)), axes)(*inputs)
        return jax.grad(lambda *inputs: jnp.sum(jax.vmap(one, axes)(*inputs)), (0, 1))(*inputs)

    for mine, reference in zip(gradients(slid), gradients(of_xla), strict=True):
        np.testing.assert_allclose(mine, reference, atol=2e-4)
