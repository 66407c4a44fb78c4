"""How kernels are compiled and kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import polyframe.kernels.compile_nb as source

COLUMNS = "WIDE = {wide}\n"
KERNEL = """
from numba import int64
from rooms import columns_nb
from rooms.compile_nb import kernel


@kernel(int64(int64))
def widened(n):
    return n * columns_nb.WIDE
"""


def answer(folder: Path, statement: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", statement], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def rooms(folder: Path) -> Path:
    package = folder / "rooms"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(str(source.__file__), package / "compile_nb.py")
    (package / "columns_nb.py").write_text(COLUMNS.format(wide=3))
    (package / "wide_nb.py").write_text(KERNEL)
    return package


def test_code_on_disk_is_that_of_all_kernels_as_they_are(tmp_path: Path) -> None:
    """Numba itself would go on with 3: the file of the function did not change."""
    package = rooms(tmp_path)
    call = "from rooms.wide_nb import widened; print(widened(7), widened.stats.cache_hits.total())"
    assert answer(tmp_path, call) == "21 0"
    assert answer(tmp_path, call) == "21 1"
    (package / "columns_nb.py").write_text(COLUMNS.format(wide=5))
    assert answer(tmp_path, call) == "35 0"


def test_a_kernel_is_not_loaded_before_it_is_needed(tmp_path: Path) -> None:
    rooms(tmp_path)
    call = "from rooms.wide_nb import widened as w; print(len(w.overloads), w(2), len(w.overloads))"
    assert answer(tmp_path, call) == "0 6 1"


def test_a_kernel_takes_nothing_but_what_it_is_for(tmp_path: Path) -> None:
    rooms(tmp_path)
    call = """
from rooms.wide_nb import widened
widened(2)
try:
    widened("2")
except TypeError as error:
    print(str(error).splitlines()[0])
"""
    assert answer(tmp_path, call).startswith("No matching definition")


def test_a_kernel_may_first_be_needed_by_several_threads_at_once(tmp_path: Path) -> None:
    rooms(tmp_path)
    call = """
from concurrent.futures import ThreadPoolExecutor
from rooms.wide_nb import widened
with ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(widened, [1] * 64)))
"""
    assert answer(tmp_path, call) == "192"


INDEXED = """
from numba import int64, types
from rooms.compile_nb import kernel

ROW = types.Array(int64, 1, "C")


@kernel(int64(ROW, int64))
def at(row, place):
    return row[place] + 10 * row[-1]
"""

CHECKED = """
import numpy as np, numba
from rooms.at_nb import at
row = np.array([1, 2, 3])
print(at(row, 0))

@numba.njit
def own(row, place):
    return row[place] + at(row, 1)

print(own(row, -1))
try:
    at(row, -1)
except IndexError as error:
    print(error)
"""


def test_an_index_counts_from_the_end_where_it_is_written_so_and_nowhere_else(
    tmp_path: Path,
) -> None:
    (rooms(tmp_path) / "at_nb.py").write_text(INDEXED)
    checked = f"import os; os.environ['NUMBA_BOUNDSCHECK'] = '1'\n{CHECKED}"
    assert answer(tmp_path, checked).splitlines() == ["31", "35", "index is out of bounds"]
