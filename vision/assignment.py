"""Who goes with whom at the least cost in total."""

import math
from collections.abc import Mapping

_NOBODY = -1


def best_pairs(costs: Mapping[tuple[int, int], float], alone: float) -> dict[int, int]:
    """Return the pairs (left: right) of least total cost, where each one left without a partner costs `alone`.

    `costs` has the pairs that are possible at all; a pair that costs more than `alone` is not made. The Hungarian method
    with potentials (Kuhn, 1955; Jonker and Volgenant, 1987), n * n * (n + m) steps for n on the left and m on the right.
    """
    left, right = sorted({pair[0] for pair in costs}), sorted({pair[1] for pair in costs})
    columns = len(right) + len(left)  # each on the left has a column of its own, which stands for nobody
    table = [
        [costs.get((one, other), math.inf) for other in right]
        + [alone if row == same else math.inf for same in range(len(left))]
        for row, one in enumerate(left)
    ]
    owners = _solved(table, columns)
    return {left[row]: right[column] for column, row in enumerate(owners[: len(right)]) if row != _NOBODY}


def _solved(table: list[list[float]], columns: int) -> list[int]:
    """Return which row has each column, or _NOBODY; each row of the table has a column of finite cost of its own."""
    of_row, of_column = [0.0] * len(table), [0.0] * columns
    owners = [_NOBODY] * columns
    for row in range(len(table)):
        _place(row, table, of_row, of_column, owners)
    return owners


def _place(row: int, table: list[list[float]], of_row: list[float], of_column: list[float], owners: list[int]) -> None:
    """Give a row a column along the cheapest path of exchanges."""
    columns = len(of_column)
    least, came_from, seen = [math.inf] * columns, [_NOBODY] * columns, [False] * columns
    column, current = _NOBODY, row
    while True:
        for other in range(columns):
            if not seen[other] and (cost := table[current][other] - of_row[current] - of_column[other]) < least[other]:
                least[other], came_from[other] = cost, column
        nearest = min((other for other in range(columns) if not seen[other]), key=least.__getitem__)
        step = least[nearest]
        of_row[row] += step
        for other in range(columns):
            if seen[other]:
                of_row[owners[other]] += step
                of_column[other] -= step
            else:
                least[other] -= step
        seen[nearest], column = True, nearest
        if owners[column] == _NOBODY:
            break
        current = owners[column]
    while column != _NOBODY:
        before = came_from[column]
        owners[column] = row if before == _NOBODY else owners[before]
        column = before
