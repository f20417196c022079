"""Cells of which little is published: which numbers are read, which assumed, and that no age was measured."""

import pytest

import device_models as dm

EMERGING = (dm.ecram_chen2023(), dm.fefet_jerry2017(), dm.mtj_generic())


@pytest.mark.parametrize("device", EMERGING, ids=("ecram", "fefet", "mtj"))
def test_no_age_of_theirs_counts_as_measured(device):
    """No retention is published in numbers that were read: results say so from the first second on."""
    assert device.span.holds(0.0) and not device.span.holds(1.0)


def test_a_generic_junction_is_of_no_paper():
    """The array of Jung et al. sums resistances (its abstract): so its name stands on no cell that sums currents."""
    assert all("assumed" in line for line in dm.mtj_generic().sources)
    assert dm.citation(dm.mtj_generic()) == ""
    with pytest.raises(ValueError, match="must be a known one"):
        dm.device("stt_mram_jung2022")


def test_electrochemical_cells_have_the_range_and_step_of_the_caption():
    """60 to 100 uS in 100 pulses (Chen et al. 2023, caption of Fig. 2a): 0.4 uS, of which half is the assumed error."""
    device = dm.ecram_chen2023()
    assert (device.g_min, device.g_max) == (60e-6, 100e-6)
    assert device.write_noise.value == pytest.approx(0.2e-6)
