"""Where the downloadable data sets come from, what proves a file, and under which terms they may be used."""

from dataclasses import dataclass, fields

from .._checks import Must, judge, whole

ANYTHING, BYTES = Must(), whole(0)


@dataclass(frozen=True)
class Archive:
    """One .zip, .tar.gz or .gz file to download and unpack.

    **Arguments:**

    - `name`: What to call it on disk; its ending tells how to unpack it.
    - `urls`: Addresses of the same file, tried in this order.
    - `checksum`: Such as "md5:f3252a..." or "sha256:33c05c...".
    - `holds`: The one file or folder, at the top of the archive, that is kept.
    - `size`: In bytes, or `None` where the publisher does not say.
    - `largest`: Most bytes that it may unpack to; `None` for 100 times its own, or 1 GiB if that is more.

    >>> import memsim as ms
    >>> archive = ms.data.Archive("mine.zip", ("https://example.org/mine.zip",), "md5:" + 32 * "0", "mine.h5")
    >>> archive.holds
    'mine.h5'
    """

    name: str
    urls: tuple[str, ...]
    checksum: str
    holds: str
    size: int | None = None
    largest: int | None = None

    def __post_init__(self):
        for field in fields(self):
            judge(field.name, getattr(self, field.name), field.type, BYTES if field.type == (int | None) else ANYTHING)


@dataclass(frozen=True)
class Source:
    """A data set that `memsim data get` fetches.

    **Arguments:**

    - `name`: On the command line, of the folder, and of the function in `memsim.data` that reads it.
    - `summary`: One line.
    - `archives`: What it consists of.
    - `licence`: Terms of use.
    - `citation`: What to cite.

    >>> import memsim as ms
    >>> ms.data.sources()["ssc"].summary
    'Spiking Speech Commands: 105829 spoken words, 700 channels, 35 classes'
    """

    name: str
    summary: str
    archives: tuple[Archive, ...]
    licence: str
    citation: str

    def __post_init__(self):
        for field in fields(self):
            judge(field.name, getattr(self, field.name), field.type)


def _heidelberg(stem: str, md5: str) -> Archive:
    hosts = "https://zenkelab.org/datasets", "https://compneuro.net/datasets"
    return Archive(f"{stem}.h5.zip", tuple(f"{host}/{stem}.h5.zip" for host in hosts), f"md5:{md5}", f"{stem}.h5")


def _mendeley(name: str, file: str, md5: str) -> Archive:
    host = "https://data.mendeley.com/public-files/datasets/468j46mzdv/files"
    return Archive(f"{name}.zip", (f"{host}/{file}/file_downloaded",), f"md5:{md5}", name)


def _figshare(name: str, number: int, md5: str) -> Archive:
    return Archive(f"{name}.tar.gz", (f"https://figshare.com/ndownloader/files/{number}",), f"md5:{md5}", name)


def _levy(technology: str, file: str, commit: str, md5: str) -> Archive:
    """As of commit ca0cfff, and as of the one that put this version of the file there."""
    host = "https://raw.githubusercontent.com/akashlevy/RRAM-Relaxation-Master-Model"
    urls = tuple(f"{host}/{at}/data/tech{technology}/{file}.tsv.gz" for at in ("ca0cfff", commit))
    return Archive(f"tech{technology}_{file}.tsv.gz", urls, f"md5:{md5}", f"tech{technology}_{file}.tsv")


def _zalando(name: str, size: int, md5: str) -> Archive:
    host = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist"
    urls = tuple(f"{host}/{at}/data/fashion/{name}.gz" for at in ("55506a9", "master"))
    return Archive(f"{name}.gz", urls, f"md5:{md5}", name, size=size)


CRAMER = (
    "B. Cramer, Y. Stradmann, J. Schemmel, and F. Zenke, The Heidelberg Spiking Data Sets for the Systematic "
    "Evaluation of Spiking Neural Networks, IEEE Trans. Neural Netw. Learn. Syst. 33, 2744-2757 (2022)."
)

# Addresses and md5 as in the source of tonic 1.7.0; the mirror as named by the publisher.
SOURCES = (
    Source(
        "shd",
        "Spiking Heidelberg Digits: 10420 spoken digits, German and English, 700 channels, 20 classes",
        (
            _heidelberg("shd_train", "f3252aeb598ac776c1b526422d90eecb"),
            _heidelberg("shd_test", "1503a5064faa34311c398fb0a1ed0a6f"),
        ),
        "CC BY 4.0",
        CRAMER,
    ),
    Source(
        "ssc",
        "Spiking Speech Commands: 105829 spoken words, 700 channels, 35 classes",
        (
            _heidelberg("ssc_train", "d102be95e7144fcc0553d1f45ba94170"),
            _heidelberg("ssc_valid", "b4eee3516a4a90dd0c71a6ac23a8ae43"),
            _heidelberg("ssc_test", "a35ff1e9cffdd02a20eb850c17c37748"),
        ),
        "CC BY 4.0",
        CRAMER,
    ),
    Source(
        "nmnist",
        "N-MNIST: 70000 handwritten digits before a moving event camera, 34 x 34 pixels, 10 classes",
        (
            _mendeley("Train", "39c25547-014b-4137-a934-9d29fa53c7a0", "20959b8e626244a1b502305a9e6e2031"),
            _mendeley("Test", "05a4d654-7e03-4c15-bdfa-9bb2bcbea494", "69ca8762b2fe404d9b9bad1103e97832"),
        ),
        "CC BY-SA 4.0",
        "G. Orchard, A. Jayawant, G. K. Cohen, and N. Thakor, Converting Static Image Datasets to Spiking Neuromorphic "
        "Datasets Using Saccades, Front. Neurosci. 9, 437 (2015).",
    ),
    Source(
        "dvs_gesture",
        "DVS128 Gesture: hand gestures of 29 people before an event camera, 128 x 128 pixels, 11 classes",
        (
            _figshare("ibmGestureTrain", 38022171, "3a8f0d4120a166bac7591f77409cb105"),
            _figshare("ibmGestureTest", 38020584, "56070e45dadaa85fff82e0fbfbc06de5"),
        ),
        "CC BY 4.0",
        "A. Amir et al., A Low Power, Fully Event-Based Gesture Recognition System, Proc. CVPR, 7243-7252 (2017).",
    ),
    Source(
        "rram_relaxation",
        "Relaxation of 16 thousand oxide cells in each of two technologies, and of a third after bakes at 100 to 260 C",
        (
            _levy("A", "bake", "dca841275e36a587bf6be6ed0985dd3f54efb67c", "cd9602a4e018bfa539262b8051411c6c"),
            _levy(
                "B", "relaxdata_10k.min", "13366eaf8a8f91359a9840a8056d497e82f2b7f3", "d764779c115b894000a5e809ff738cf9"
            ),
            _levy("C", "relaxdata.min", "8e4f5c3c66bb280ad3e6755d1ef76fb63b3e38a1", "60920bac723aeacb9df2d0c48b49a75b"),
        ),
        "MIT",
        "A. Levy, RRAM-Relaxation-Master-Model, https://github.com/akashlevy/RRAM-Relaxation-Master-Model, commit "
        "ca0cfff (2024). Which chips the technologies are is not said there.",
    ),
    Source(
        "fashion_mnist",
        "Fashion-MNIST: 70000 grey images of clothes, 28 x 28 pixels, 10 classes; 6000 of them come with memsim",
        (
            _zalando("train-images-idx3-ubyte", 26421880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            _zalando("train-labels-idx1-ubyte", 29515, "25c81989df183df01b3e8a0aad5dffbe"),
            _zalando("t10k-images-idx3-ubyte", 4422102, "bef4ecab320f06d8554ea6380940ec79"),
            _zalando("t10k-labels-idx1-ubyte", 5148, "bb300cfdad3c16e7a12a480ee83cd310"),
        ),
        "MIT",
        "H. Xiao, K. Rasul, and R. Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning "
        "Algorithms, arXiv:1708.07747 (2017).",
    ),
)
