from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.topology.projection import (
    FARTHEST,
    STEEPEST,
    Camera,
    Projected,
    painters_order,
    pick,
    project,
    scene_of,
    toward,
)

angles = st.floats(-10.0, 10.0)
corners = np.array([(x, y, z) for x in (0.0, 6.0) for y in (0.0, 2.0) for z in (-1.0, 1.0)])


@given(angles, st.floats(-STEEPEST, STEEPEST), st.floats(50, 2000), st.floats(50, 2000))
def test_the_whole_scene_is_on_the_screen_however_it_is_turned(yaw: float, pitch: float, width: float, height: float) -> None:
    seen = project(corners, Camera(yaw, pitch), scene_of(corners), width, height)
    assert (seen.xy >= -1e-6).all()
    assert (seen.xy <= np.array((width, height)) + 1e-6).all()
    assert (seen.scale > 0).all()


def test_seen_from_the_front_right_is_right_and_up_is_up() -> None:
    points = np.array([(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)])
    seen = project(points, Camera(0.0, 0.0), scene_of(points), 100, 100)
    assert seen.xy[1, 0] > seen.xy[0, 0]
    assert seen.xy[2, 1] < seen.xy[0, 1]


def test_what_is_nearer_is_larger_and_painted_later() -> None:
    points = np.array([(0.0, 0.0, -1.0), (0.0, 0.0, 1.0)])
    seen = project(points, Camera(0.0, 0.0), scene_of(corners), 100, 100)
    assert seen.scale[0] > seen.scale[1]
    assert painters_order(seen.depth).tolist() == [1, 0]
    assert painters_order(np.zeros(4)).tolist() == [0, 1, 2, 3]


def test_a_turn_all_the_way_round_leads_back() -> None:
    camera = Camera()
    for _ in range(8):
        camera = camera.turned(math.pi / 4, 0.0)
    assert camera.yaw == pytest.approx(Camera().yaw)


@given(angles, angles, st.floats(0.001, 1000.0))
def test_a_camera_stays_within_its_bounds(yaw: float, pitch: float, factor: float) -> None:
    camera = Camera().turned(yaw, pitch).nearer(factor).moved(factor, -factor)
    assert abs(camera.pitch) <= STEEPEST
    assert abs(camera.yaw) <= math.pi + 1e-9
    assert camera.zoom <= FARTHEST
    assert abs(camera.shift_x) <= 2.0


def test_the_nearest_of_two_that_cover_each_other_is_picked() -> None:
    seen = Projected(np.array([(50.0, 50.0), (52.0, 50.0), (90.0, 90.0)]), np.ones(3), np.array([0.5, -0.5, 0.0]))
    assert pick(seen, 51, 50, 10) == 1
    assert pick(seen, 90, 91, 10) == 2
    assert pick(seen, 10, 10, 10) is None


def test_walking_goes_to_the_neighbour_in_that_direction_and_stays_at_the_edge() -> None:
    grid = np.array([(x, y) for y in range(3) for x in range(3)], np.float64)
    assert toward(grid, 4, 1, 0) == 5
    assert toward(grid, 4, -1, 0) == 3
    assert toward(grid, 4, 0, -1) == 1
    assert toward(grid, 4, 0, 1) == 7
    assert toward(grid, 5, 1, 0) == 5
    usable = np.ones(9, np.bool_)
    usable[5] = False
    assert toward(grid, 4, 1, 0, usable) != 5


def test_a_scene_without_points_can_be_looked_at() -> None:
    seen = project(np.empty((0, 3)), Camera(), scene_of(np.empty((0, 3))), 100, 100)
    assert seen.xy.shape == (0, 2)
    assert pick(seen, 0, 0, 10) is None
