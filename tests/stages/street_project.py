"""A small KITTI-like project with metadata: six frames of three drives."""

from __future__ import annotations

from pathlib import Path

DRIVES = {
    "drive_1": ["Car 0 1|Van 0 2|Pedestrian 0 0", "Car 0 1|Truck 0 1|Pedestrian 0 1|Pedestrian 0 0"],
    "drive_2": ["Car 0 0|Car 0 1|Pedestrian 0 0", "Car 0 2|Van 0 1"],
    "drive_3": ["Car 0 1|Car 0 1|Pedestrian 0 0", "Cyclist 0 0"],
}
FACTS = """[{"drive": "drive_1", "captured_at": "2011-09-26T20:41:07", "scene": "residential"},
 {"drive": "drive_2", "captured_at": "2011-09-28T14:03:55", "scene": "residential"},
 {"drive": "drive_3", "captured_at": "2011-09-29T21:15:00", "scene": "city"}]"""
PROJECT = """\
version: 1
name: streets
data:
  # where it comes from
  sources:
    street: {path: kitti, format: kitti, metadata: drives.json}
    more: {path: more}   # found by itself
  views:
    # at least two occluded vehicles, one pedestrian, after 20:00, residential
    evenings:
      from: [street]
      where: count('Car|Van|Truck', 'occluded >= 1') >= 2 and count('Pedestrian') >= 1
        and captured_at::time > '20:00' and scene = 'residential'
    both:
      from: [street, more]
      map: {Van: Car, Truck: Car, car: Car, person: Pedestrian, Cyclist: null}
      classes: [Pedestrian, Car]
train: {view: evenings}
"""
VOC = """<annotation><folder>JPEGImages</folder><filename>a.jpg</filename>
<size><width>60</width><height>40</height><depth>3</depth></size>
<object><name>car</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>60</xmax><ymax>40</ymax></bndbox></object>
<object><name>person</name><bndbox><xmin>11</xmin><ymin>11</ymin><xmax>20</xmax><ymax>20</ymax></bndbox></object>
</annotation>"""


def kitti(folder: Path) -> None:
    """Write labels and photos."""
    from PIL import Image

    for drive, frames in DRIVES.items():
        for number, objects in enumerate(frames):
            photo = folder / f"training/image_2/{drive}/{number:06}.png"
            label = folder / f"training/label_2/{drive}/{number:06}.txt"
            for file in (photo, label):
                file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (124, 38)).save(photo)
            lines = (f"{each} -1.57 {at}.00 9.00 {at + 9}.00 18.00" for at, each in enumerate(objects.split("|")))
            label.write_text("".join(f"{line} 1.50 1.60 3.90 1.80 1.60 20.00 -1.60\n" for line in lines))


def project(folder: Path) -> Path:
    """Write the project and return its folder."""
    from PIL import Image

    kitti(folder / "kitti")
    for name in ("Annotations", "JPEGImages"):
        (folder / "more" / name).mkdir(parents=True)
    (folder / "more/Annotations/a.xml").write_text(VOC)
    Image.new("RGB", (60, 40)).save(folder / "more/JPEGImages/a.jpg")
    (folder / "drives.json").write_text(FACTS)
    (folder / "vision.yaml").write_text(PROJECT)
    return folder
