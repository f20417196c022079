"""What the tests of all fits share: how often an interval must hold the truth."""

import math

REPETITIONS = 200
STANDARD_ERRORS = 3  # of a binomial fraction; the seeds are fixed, so what passes keeps passing


def assert_covered(fit, simulate, truth, *, standard_errors=STANDARD_ERRORS):
    """The 95 % interval of each parameter holds its `truth` in 95 % of `REPETITIONS`, within some standard errors.

    Of those, the residual tests reject the right model in no more than 1 %, within as many.
    """
    hits, rejected = dict.fromkeys(truth, 0), 0
    for _ in range(REPETITIONS):
        result = fit(*simulate())
        assert result.parameters.keys() == truth.keys()
        for name, value in truth.items():
            hits[name] += result.parameters[name].holds(value)
        rejected += not result.goodness.adequate
    for name, count in hits.items():
        error = math.sqrt(0.95 * 0.05 / REPETITIONS)
        assert abs(count / REPETITIONS - 0.95) < standard_errors * error, f"{name}: {count} of {REPETITIONS}"
    assert rejected / REPETITIONS < 0.01 + standard_errors * math.sqrt(0.01 * 0.99 / REPETITIONS), rejected
