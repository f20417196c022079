"""The one place where values that users pass are checked: by what they are, not by how they are written.

A module says once what its fields must be, in a line a field, and everything that its annotations say holds besides:

```python
def __check_init__(self):
    check(self, bits=whole(2, most=24), v_read=positive("in volts", most=5.0, hint="Millivolts? Multiply by 1e-3."))
```

A function does the same in a decorator, `@checked(chips=whole(1))`. A Python float, a NumPy scalar and a JAX array are
judged alike; of traced values, whose numbers nobody knows yet, only shape and dtype are judged. A NumPy array
reaches a decorated function as one of JAX (`for_jax`), where that is what it takes.
"""

from ._annotations import for_jax as for_jax
from ._check import Checked as Checked
from ._check import check as check
from ._check import checked as checked
from ._check import judge as judge
from ._known import is_known as is_known
from ._known import is_zero as is_zero
from ._known import numbers as numbers
from ._known import plain as plain
from ._messages import described as described
from ._rules import Must as Must
from ._rules import at_least as at_least
from ._rules import between as between
from ._rules import each as each
from ._rules import finite as finite
from ._rules import fraction as fraction
from ._rules import not_nan as not_nan
from ._rules import positive as positive
from ._rules import that as that
from ._rules import whole as whole
from ._rules import write as write

__all__ = [
    "Checked",
    "Must",
    "at_least",
    "between",
    "check",
    "checked",
    "described",
    "each",
    "finite",
    "for_jax",
    "fraction",
    "is_known",
    "is_zero",
    "judge",
    "not_nan",
    "numbers",
    "plain",
    "positive",
    "that",
    "whole",
    "write",
]
