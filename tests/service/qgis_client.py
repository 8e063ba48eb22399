"""Run by QGIS's own Python: adds a collection as a layer and tells what it shows. Not a test by itself.

    QT_QPA_PLATFORM=offscreen QGIS_CUSTOM_CONFIG_PATH=DIR python3 qgis_client.py URL COLLECTION TOKEN

Prints one JSON document.
"""

import json
import sys

from qgis.core import (
    QgsApplication,
    QgsDataSourceUri,
    QgsVectorLayer,
)


def main() -> None:
    url, collection, token = sys.argv[1:]
    application = QgsApplication([], True)
    application.initQgis()
    source = QgsDataSourceUri()
    for name, value in (
        ("url", url),
        ("typename", collection),
        ("username", "qgis"),
        ("password", token),
        ("pageSize", "2"),
    ):
        source.setParam(name, value)
    layer = QgsVectorLayer(source.uri(False), "groundproof", "OAPIF")
    extent = layer.extent()
    shown = {
        "valid": layer.isValid(),
        "error": layer.error().message() if not layer.isValid() else "",
        "crs": layer.crs().authid(),
        "extent": [extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()],
        "fields": [field.name() for field in layer.fields()],
        "features": [
            {
                "evidence_id": feature["evidence_id"],
                "box_px": feature["box_px"],
                "wkt": feature.geometry().asWkt(10),
            }
            for feature in layer.getFeatures()
        ],
    }
    shown["count"] = layer.featureCount()
    del layer  # alive at exit it would crash QGIS
    print(json.dumps(shown))
    application.exitQgis()


main()
