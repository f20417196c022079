"""No wrong value becomes a number: every argument of every public name refuses what its annotation excludes, by name.

The quick run takes one wrong value in `SAMPLE`, and classes only; the slow one takes all of them (some thousands).
"""

import inspect
import warnings
import zlib

import pytest

import bad_values
import right_calls
import right_methods
import right_parts

pytestmark = pytest.mark.usefixtures("unchecked")

SAMPLE = 8
PUBLIC = {name: thing for name, thing in bad_values.public().items() if name.split(".")[-1] not in right_calls.RESULTS}
CLASSES = [name for name in PUBLIC if inspect.isclass(PUBLIC[name])]
FUNCTIONS = [name for name in PUBLIC if not inspect.isclass(PUBLIC[name])]

NEURONS = ("ALIF", "AdEx", "CuBaLI", "CuBaLIF", "IF", "Integrator", "Izhikevich", "LI", "LIF", "ResonateAndFire")

# Arguments that may be negative: signed by nature, or a sign with a meaning of its own.
SIGNED = {
    *(f"ClippedLog.{name}" for name in ("slope", "offset", "low")),
    *("Constant.value", "InverseProportional.factor", "Proportional.factor", "Saturating.height"),  # a mean, too
    *("Jumps.lean", "LogTime.offset", "LogTime.slope", "Sourced.value"),
    *("DataDriven2017.speed_n", "DataDriven2021.speed_n", "DataDriven2021.t_p", "DataDriven2021.t_n"),
    *("Asymptotes.low", "Walls.low", "Yakopcic.eta", "VTEAM.k_on", "VTEAM.v_on"),
    *(f"JART.{name}" for name in ("alpha_0", "alpha_2", "beta_0", "beta_1", "alpha_line")),
    *(f"ExpStep.{name}" for name in ("amplitude_up", "amplitude_down", "gamma_up", "gamma_down", "scale", "shift")),
    *("soft_bounds_pmax.r_min", "neurosim.nonlinearity_down", "Bounds.w_min", "Leak.towards", "Reset.mean"),
    *("Steps.up_down", "fluctuation_driven.mean", "ALIF.kappa", "AdEx.v_onset", "AdEx.coupling", "AdEx.jump"),
    *(f"{neuron}.{name}" for neuron in NEURONS for name in ("threshold", "resistance", "v_rest", "v_reset", "w_in")),
    *(f"Izhikevich.{name}" for name in "abcd"),
    *("Conv1d.gain", "Conv2d.gain", "DelayedLinear.gain", "Linear.gain"),
    *("Flatten.start_dim", "Flatten.end_dim", "Scale.scale", "Threshold.threshold", "Population.low"),
    *("attribution_table.time", "attribution.time"),  # an index from the end
    *("crossover.static_difference", "check_neuron.mean", "accuracy_over_bits.margin"),
    *("draw_accuracy.place", "draw_interval.place", "draw_spread.place", "look.place", "yield_curve.threshold"),
}

# (name, argument, wrong value): why it is right all the same.
ALLOWED = {
    ("curves.ClippedLog", "high", "infinite"): "a curve without an upper end",
    ("curves.InversePower", "high", "infinite"): "a curve without an upper end",
    ("memristors.FixedSteps", "tolerance", "infinite"): "any error is accepted",
    ("memristors.AdaptiveSteps", "solver", "another module"): "Diffrax is imported when it is used",
    ("train.SpikeRate", "upper", "infinite"): "no upper bound",
    ("data.crop", "stop", "infinite"): "to the end",
    ("study.mean_interval", "values", "a number"): "a mean without an interval",
    ("study.with_uncertainty", "found", "NaN within"): "a dash",
    ("encoding.to_complex", "y", "NaN in an array"): "what is not known stays so",
}


# Whose right arguments need files from the network.
AWAY = {"data.rram_relaxation", "data.shd", "data.ssc", "data.nmnist", "data.dvs_gesture", "data.get"}
AWAY |= {"data.mitbih", "data.spar"}


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """Right arguments of a public name."""
    folder = tmp_path_factory.mktemp("right")
    right_parts.fill(folder)
    instances = {type(instance): instance for instance in reversed(right_calls.instances())}
    calls = right_calls.calls(folder)

    def arguments(name):
        thing = PUBLIC[name]
        if thing in instances:
            return bad_values.fields_of(instances[thing])
        return calls.get(name, calls.get(name.split(".")[-1], {}))  # two rooms may have one name

    return arguments


def faults(name, thing, arguments, *, every):
    """What is amiss in how a public name answers each wrong value, or one in `every`."""
    found = []
    for argument, parameter in bad_values.parameters(thing).items():
        signed = f"{name.split('.')[-1]}.{argument}" in SIGNED
        right = arguments.get(argument, parameter.default)
        for wrong in bad_values.wrong_values(parameter.annotation, right, magnitude=not signed):
            case = name, argument, wrong.label
            if zlib.crc32(repr(case).encode()) % every == 0 and case not in ALLOWED:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # of Equinox, about static arrays, before we refuse them
                    answer = bad_values.refusal(thing, arguments, argument, wrong.value)
                found += [f"{name}({argument}=<{wrong.label}>): {answer}"] if answer else []
    return found


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_right_arguments_to_spoil(name, right):
    given = right(name)
    missing = [
        argument
        for argument, parameter in bad_values.parameters(PUBLIC[name]).items()
        if parameter.default is parameter.empty and argument not in given
    ]
    assert not missing, f"give right arguments for {name} in tests/support/right_calls.py"


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_refuses_wrong_values_by_the_name_of_the_field(name, right):
    assert faults(name, PUBLIC[name], right(name), every=SAMPLE) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_refuses_every_wrong_value_by_the_name_of_the_argument(name, right):
    if name not in AWAY:
        PUBLIC[name](**right(name))  # the right ones pass
    assert faults(name, PUBLIC[name], right(name), every=1) == []


@pytest.mark.parametrize("name", right_methods.methods())
def test_a_method_refuses_wrong_values_by_the_name_of_the_argument(name):
    method, arguments = right_methods.methods()[name]
    method(**arguments)
    assert faults(name, method, arguments, every=1) == []
