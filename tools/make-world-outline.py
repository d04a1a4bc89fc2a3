#!/usr/bin/python3
"""Writes Sources/geodns-check/WorldOutline+Data.swift: the shapes of countries for `--map`.

    pip download --no-deps geopandas==0.14.4
    unzip geopandas-0.14.4-py3-none-any.whl 'geopandas/datasets/naturalearth_lowres/*'
    tools/make-world-outline.py geopandas/datasets/naturalearth_lowres/naturalearth_lowres

The package carries "Admin 0 - Countries, 1:110m" of Natural Earth (naturalearthdata.com), which is
in the public domain; nothing else of it is taken. Codes of countries come from Debian's iso-codes.

Points are rounded to tenths of a degree, alike on both sides of a border. A ring is a run of
numbers: the first longitude and latitude in tenths, then the differences; each number is folded
(0, -1, 1, -2 are 0, 1, 2, 3) and written in digits of five bits, the lowest first, with 32 added to
all but the last.
"""

import json
import struct
import sys

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-"
WIDTH = 92


def shapes(path):
    """Rings of each record of a shapefile (ESRI, 1998: type 5, polygon)."""
    data = open(path + ".shp", "rb").read()
    at = 100
    while at < len(data):
        (words,) = struct.unpack(">i", data[at + 4 : at + 8])
        body = data[at + 8 : at + 8 + 2 * words]
        at += 8 + 2 * words
        (kind,) = struct.unpack("<i", body[:4])
        assert kind == 5, kind
        parts, points = struct.unpack("<ii", body[36:44])
        starts = list(struct.unpack(f"<{parts}i", body[44 : 44 + 4 * parts])) + [points]
        first = 44 + 4 * parts
        numbers = struct.unpack(f"<{2 * points}d", body[first : first + 16 * points])
        pairs = list(zip(numbers[::2], numbers[1::2]))
        yield [pairs[a:b] for a, b in zip(starts, starts[1:])]


def attributes(path):
    """Records of a dBASE file, as dictionaries."""
    data = open(path + ".dbf", "rb").read()
    count, head, size = struct.unpack("<IHH", data[4:12])
    fields, at = [], 32
    while data[at] != 0x0D:
        fields.append((data[at : at + 11].split(b"\0")[0].decode().lower(), data[at + 16]))
        at += 32
    for record in range(count):
        at = head + record * size + 1
        row = {}
        for name, width in fields:
            row[name] = data[at : at + width].decode("latin-1").strip()
            at += width
        yield row


def rounded(ring):
    """Tenths of a degree, without points that say nothing; the last is not the first again."""
    points = []
    for x, y in ring:
        point = (round(x * 10), round(y * 10))
        if not points or points[-1] != point:
            points.append(point)
    if points[0] == points[-1]:
        points.pop()
    return points


def number(value):
    folded = 2 * value if value >= 0 else -2 * value - 1
    text = ""
    while folded >= 32:
        text += DIGITS[32 + folded % 32]
        folded //= 32
    return text + DIGITS[folded]


def encoded(points):
    text, before = "", (0, 0)
    for point in points:
        text += number(point[0] - before[0]) + number(point[1] - before[1])
        before = point
    return text


def main(path):
    codes = json.load(open("/usr/share/iso-codes/json/iso_3166-1.json"))["3166-1"]
    two = {entry["alpha_3"]: entry["alpha_2"] for entry in codes}
    # Kosovo has no code in ISO 3166; this is the one that location databases use.
    two["XKX"] = two["KOS"] = "XK"
    countries = {}
    for row, rings in zip(attributes(path), shapes(path)):
        code = two.get(row["iso_a3"], "--")
        if code == "AQ":
            continue
        rings = [rounded(ring) for ring in rings]
        countries.setdefault(code, []).extend(ring for ring in rings if len(ring) > 2)
    print("// Made by tools/make-world-outline.py from Natural Earth, Admin 0 - Countries, 1:110m")
    print("// (naturalearthdata.com), which is in the public domain. Not to be edited.\n")
    print("extension WorldOutline {")
    print("    /// A country on each line, goes on on indented ones: ISO 3166-1 code, or -- for land")
    print("    /// without one; its rings. tools/make-world-outline.py says how they are written.")
    print('    static let text = """')
    for code in sorted(countries):
        line = code + " " + ",".join(encoded(ring) for ring in countries[code])
        while line:
            print("        " + line[:WIDTH - 8])
            line = line[WIDTH - 8 :]
            if line:
                line = " " + line
    print('        """')
    print("}")


if len(sys.argv) != 2:
    sys.exit(__doc__)
main(sys.argv[1])
