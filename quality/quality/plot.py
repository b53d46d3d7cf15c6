"""Curves over two axes by powers of ten, as SVG."""

import math

COLOURS = ("#d95f02", "#1b9e77", "#7570b3", "#777777", "#bbbbbb", "#e7298a")
WIDE, HIGH, LEFT, RIGHT, TOP, BELOW = 560, 340, 62, 150, 34, 40


def lines(title, across, up, curves):
    """`curves`: name -> points, all above zero."""
    xs, ys = ([math.log10(point[axis]) for points in curves.values() for point in points] for axis in (0, 1))
    low, high = math.floor(min(ys)), math.ceil(max(ys))

    def place(point):
        x = LEFT + (math.log10(point[0]) - min(xs)) / (max(xs) - min(xs) or 1) * (WIDE - LEFT - RIGHT)
        return x, HIGH - BELOW - (math.log10(point[1]) - low) / (high - low or 1) * (HIGH - TOP - BELOW)

    def text(x, y, words, more=""):
        return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{words}</text>'

    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" font-family="sans-serif" font-size="10">',
           f'<rect width="{WIDE}" height="{HIGH}" fill="white"/>', text(LEFT, 16, title, 'font-weight="bold"'),
           text((LEFT + WIDE - RIGHT) / 2, HIGH - 8, across, 'text-anchor="middle"'),
           text(0, 0, up, f'text-anchor="middle" transform="translate(12 {HIGH / 2}) rotate(-90)"')]
    for power in range(low, high + 1):
        y = place((10 ** xs[0], 10**power))[1]
        svg += [f'<path d="M{LEFT} {y:.1f}H{WIDE - RIGHT}" stroke="#dddddd"/>',
                text(LEFT - 4, y + 3, f"{10**power:g}", 'text-anchor="end"')]
    for value, _ in max(curves.values(), key=len):
        svg.append(text(place((value, 1))[0], HIGH - BELOW + 14, f"{value / 1000:.0f}k", 'text-anchor="middle"'))
    for number, ((name, points), colour) in enumerate(zip(curves.items(), COLOURS)):
        drawn = " ".join("{:.1f},{:.1f}".format(*place(point)) for point in points)
        svg += [f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{drawn}"/>',
                text(WIDE - RIGHT + 10, TOP + 10 + 14 * number, name, f'fill="{colour}"')]
    return "\n".join([*svg, "</svg>", ""])
