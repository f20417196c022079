"""How the site is built: `make docs`."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from device_models import __version__  # noqa: E402

project = "memsim"
author = "the authors of memsim"
release = version = __version__
copyright = "the authors of memsim, Apache-2.0"

extensions = ["myst_nb", "memsim_site"]
exclude_patterns = ["_build", "_ext"]
nitpicky = False  # types in signatures are named without their modules

html_theme = "furo"
html_title = "memsim"
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["memsim.css"]

python_maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"
add_module_names = False

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]

# A page that fails, fails the build. Nothing is kept from the last build but what JAX has compiled.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_render_markdown_format = "myst"  # tables
nb_execution_in_temp = True
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # `!memsim` in a page
os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(HERE / "_build" / "compiled"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
