"""The SI unit of each field of a device, as files and tables of fitted numbers state it."""

PURE = "1"
OF_CLASS = {
    ("PCM", "write_noise"): "S",
    ("Gaussian", "write_noise"): "S",
    ("Gaussian", "shift"): "S",
    ("Gaussian", "spread"): "S",
    ("Gaussian", "noise"): "S",
    ("Gaussian", "lowest"): "S",
    ("Gaussian", "highest"): "S",
    ("WriteVerify", "window"): "S",
    ("Retention", "onset"): "s",
    ("Snapshots", "times"): "s",
    ("Branches", "at"): PURE,
    ("Empirical", "times"): "s",
    ("Empirical", "targets"): "S",
    ("Empirical", "conductances"): "S",
    ("Growth", "times"): "s",
    ("Growth", "onset"): "s",
    ("Growth", "power"): PURE,
    ("InversePower", "power"): PURE,
    ("Jumps", "onset"): "s",
    ("InverseProportional", "low"): PURE,
    ("PerConductance", "low"): PURE,
    ("Saturating", "scale"): PURE,
    ("Span", "time"): "s",
    ("Span", "temperature"): "K",
    ("Span", "voltage"): "V",
    ("Span", "conductance"): "S",
    ("Table", "at"): PURE,
}
OF_FIELD = {
    "g_min": "S",
    "g_max": "S",
    "t_0": "s",
    "t_read": "s",
    "kappa": "1/V",
    "r_on": "ohm",
    "r_off": "ohm",
    "thickness": "m",
    "mobility": "m^2/(V s)",
    "k_on": "m/s",
    "k_off": "m/s",
    "v_on": "V",
    "v_off": "V",
    "v_threshold": "V",
}


def unit_of(class_name: str, field: str, *, sources: tuple[str, ...] = (), inherited: str | None = None) -> str:
    """Unit of `field` in a class of this name.

    A curve has the unit of the field it stands in, which is `inherited`. A number of a published set has the one that
    `sources`, lines of `describe`, state. What nobody states is a pure number.
    """
    if (class_name, field) in OF_CLASS:
        return OF_CLASS[class_name, field]
    if inherited is not None and field not in OF_FIELD:
        return inherited
    for line in sources:
        name, _, rest = line.partition(" = ")
        if name == field:
            return _unit_in(rest)
    return OF_FIELD.get(field, PURE)


def _unit_in(text: str) -> str:
    """The unit in "1e-14 m^2/(V s) (where)" or in "(1.0, 2.0) S (where)"."""
    _, _, after = text.partition(") " if text.startswith("(") else " ")
    return after.partition(" (")[0] or PURE
