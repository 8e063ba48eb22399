"""Where the scenes of a batch come from: files, folders, globs, lists, STAC documents, raster tile indexes.

Knows names of rasters. Refuses to know rasters: nothing is opened here, so a name that leads nowhere
becomes a failed scene when the batch is planned.
"""

from groundproof.scene_lists.finding import find_scenes
from groundproof.scene_lists.listing import ListedScene, SceneList

__all__ = ["ListedScene", "SceneList", "find_scenes"]
