"""Every option of every experiment holds when given, and is refused before any work when it cannot be."""

import dataclasses
import typing

import pytest

import memsim as ms
from memsim._cli import load_script, main, scripts

NUMBERS = {int: ("0", "-3", "2.5", "nope"), float: ("nan", "-1.0", "inf", "nope")}
ANY_SIGN = {"window": "0"}  # a count of steps that may be none


def numeric_options():
    """Experiment, option, and a bad value for each number that it takes."""
    for name in scripts("experiments"):
        config = load_script("experiments", name).Config
        for field, annotation in typing.get_type_hints(config).items():
            inner = typing.get_args(annotation)
            kind = next((k for k in (int, float) if annotation is k or k in inner), None)
            for bad in NUMBERS.get(kind, ()):
                if bad != ANY_SIGN.get(field):
                    count = len(inner) if inner and Ellipsis not in inner else 1
                    yield name, f"--{field.replace('_', '-')}", [bad] * count


def refused(name, words, folder, capsys):
    """Whether the command ends with status 2, says something, and leaves nothing."""
    try:
        status = main(["run", name, *words, "--out", str(folder / "out")])
    except SystemExit as stop:
        status = stop.code
    error = capsys.readouterr().err
    assert status == 2, (words, status)
    assert list(folder.rglob("*")) == [], words
    return " ".join(error.replace("│", " ").split())


SAMPLE = [
    case if case[0] == "drift" and case[2][0] in ("0", "nan") else pytest.param(*case, marks=pytest.mark.slow)
    for case in numeric_options()
]


@pytest.mark.parametrize(("name", "option", "bad"), SAMPLE, ids=str)
def test_a_bad_number_is_refused_before_any_work(name, option, bad, tmp_path, capsys):
    quick = ["--quick"] if hasattr(load_script("experiments", name), "QUICK") else []
    words = refused(name, [*quick, option, *bad], tmp_path, capsys)
    field = option[2:].replace("-", "_")
    part = "`bits`" if field.endswith("_bits") else field  # a converter speaks for itself
    assert any(said in words for said in (field, option, part)), words


@pytest.mark.parametrize(
    ("name", "words", "says"),
    [
        ("drift", ["--adc-bits", "0"], "from 2 to 24"),
        ("drift", ["--read-noise", "nope"], "per_moment"),
        ("drift", ["--tile", "0", "5"], "tile"),
        ("drift", ["--batch-size", "100000"], "at most 200"),
        ("drift", ["--times", "0", "-1"], "all at least 0"),
        ("drift", ["--device", "pcm_joshi2002"], "pcm_joshi2020"),
        ("drift", ["--write-noise"], "write"),
        ("shd_noise", ["--batch-size", "100000"], "batch_size"),
        ("raster", ["--recordings", "1000"], "at most 200"),
        ("mvm_error", ["--dac-bits", "0"], "bits"),
        ("hysteresis", ["--samples", "9"], "even"),
        ("ir_drop", ["--g-min", "1"], "g_min"),
        ("insitu", ["--transfer-rate", "2"], "fraction"),
        ("drift", ["--times", "1e38"], "all at least 0 and at most 1e12"),
        ("cells", ["--times", "0", "2e12"], "at most 1e12"),
        ("raster", ["--time", "1e38"], "`time` must be from 0 to 1e+12"),
        ("drift", ["--clip", "0.5"], "`clip` must be finite and at least 1"),
        ("drift", ["--model-dt", "5"], "`model_dt` must be positive and at most 1"),
        ("noise_kinds", ["--duration", "40"], "`duration` must be at most 0.2 s a step"),
        ("shd_noise", ["--tau-mem", "100"], "`tau_mem` must be at most 1 s"),
        ("shd_noise", ["--dt", "1e-38"], "`dt` must be from 0.0001"),
        ("hysteresis", ["--factors", "1", "1e38"], "`factors` must be positive multiples"),
        ("hysteresis", ["--rtol", "1e-38"], "`rtol` must be at least 1e-12"),
        ("mvm_error", ["--kappa", "1e38"], "`kappa` must be positive and at most 100"),
        ("pulse_response", ["--sweeps", "1e38"], "`sweeps` must be positive and at most 1000"),
    ],
)
def test_an_option_that_no_part_can_take_is_refused_before_any_work(name, words, says, tmp_path, capsys, unchecked):
    assert says in refused(name, ["--quick", *words], tmp_path, capsys)


@pytest.mark.parametrize(
    ("option", "bad", "edge"), [("times", (1.1e12,), (1e12,)), ("time", 1.1e12, 1e12), ("clip", 0.99, 1.0)]
)
def test_an_option_has_the_limits_of_what_it_is_for_in_every_experiment(option, bad, edge):
    kinds = [load_script("experiments", name).Config for name in scripts("experiments")]
    kinds = [kind for kind in kinds if option in typing.get_type_hints(kind)]
    assert len(kinds) > 1
    for kind in kinds:
        for quick in (False, True):
            assert getattr(kind(quick=quick, **{option: edge}), option) == edge
            with pytest.raises(ValueError, match=f"`{option}` must"):
                kind(quick=quick, **{option: bad})


def given(name, words, monkeypatch):
    """The configuration that the command line makes of `words`."""
    module = load_script("experiments", name)
    seen = []
    monkeypatch.setattr(module, "run", seen.append)
    monkeypatch.setattr("memsim._cli._scripts.load_script", lambda kind, name: module)
    assert main(["run", name, *words]) == 0
    return seen[0]


def test_what_is_given_holds_in_a_quick_run(monkeypatch):
    config = given("drift", ["--quick", "--chips", "1", "--times", "0"], monkeypatch)
    assert (config.chips, config.times, config.epochs, config.quick) == (1, (0.0,), 2, True)
    config = given("drift", ["--chips", "100", "--quick"], monkeypatch)  # the default of a full run, but asked for
    assert (config.chips, config.hidden) == (100, 32)
    config = given("drift", ["--quick", "--no-quick"], monkeypatch)
    assert (config.chips, config.quick) == (100, False)


@pytest.mark.parametrize("name", [n for n in scripts("experiments") if hasattr(load_script("experiments", n), "QUICK")])
def test_a_quick_configuration_has_the_smaller_defaults_and_what_is_given(name, monkeypatch):
    module = load_script("experiments", name)
    config = module.Config(quick=True)
    assert {field: getattr(config, field) for field in module.QUICK} == module.QUICK
    assert dataclasses.asdict(given(name, ["--quick"], monkeypatch)) == dataclasses.asdict(config)
    full = module.Config()
    kept = next(field for field in module.QUICK if getattr(full, field) != module.QUICK[field])
    assert getattr(module.Config(quick=True, **{kept: getattr(full, kept)}), kept) == getattr(full, kept)


def test_quick_changes_defaults_only():
    @ms.study.quick({"n": 2})
    @dataclasses.dataclass(frozen=True)
    class Config:
        n: int = 10
        m: int = 5
        quick: bool = False

    assert (Config().n, Config(quick=True).n, Config(quick=True, n=10).n) == (10, 2, 10)
    assert dataclasses.replace(Config(), quick=True).n == 10
