"""Data that networks learn from, with their licences, and events read, binned and written."""

from ._dataset import Dataset as Dataset
from ._dataset import Splits as Splits
from ._ecg import Electrocardiogram as Electrocardiogram
from ._ecg import ecg_beats as ecg_beats
from ._event_sets import dvs_gesture as dvs_gesture
from ._event_sets import nmnist as nmnist
from ._event_sets import shd as shd
from ._event_sets import ssc as ssc
from ._events import EVENT as EVENT
from ._events import as_events as as_events
from ._events import crop as crop
from ._events import downsample as downsample
from ._events import event_array as event_array
from ._fashion_mnist import fashion_mnist as fashion_mnist
from ._frames import Binning as Binning
from ._frames import from_frames as from_frames
from ._frames import to_frames as to_frames
from ._get import data_folder as data_folder
from ._get import get as get
from ._get import is_complete as is_complete
from ._get import sources as sources
from ._mitbih import mitbih as mitbih
from ._recordings import read_events as read_events
from ._recordings import write_events as write_events
from ._relaxation import Relaxation as Relaxation
from ._relaxation import rram_relaxation as rram_relaxation
from ._sources import Archive as Archive
from ._sources import Source as Source
from ._spar import spar as spar
from ._spike_file import SpikeFile as SpikeFile
from ._spike_file import write_spikes as write_spikes
from ._spoken_digits import spoken_digits as spoken_digits
from ._synthetic_ecg import synthetic_ecg as synthetic_ecg
from ._written_digits import written_digits as written_digits

__all__ = [
    "EVENT",
    "Archive",
    "Binning",
    "Dataset",
    "Electrocardiogram",
    "Relaxation",
    "Source",
    "SpikeFile",
    "Splits",
    "as_events",
    "crop",
    "data_folder",
    "downsample",
    "dvs_gesture",
    "ecg_beats",
    "event_array",
    "fashion_mnist",
    "from_frames",
    "get",
    "is_complete",
    "mitbih",
    "nmnist",
    "read_events",
    "rram_relaxation",
    "shd",
    "sources",
    "spar",
    "spoken_digits",
    "ssc",
    "synthetic_ecg",
    "to_frames",
    "write_events",
    "write_spikes",
    "written_digits",
]
