//! Charts as SVG: axes with labelled ticks, lines and dots. Readable on light and on dark pages.

use std::fmt::Write;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 400.0;
/// Where the points go.
const LEFT: f64 = 90.0;
const RIGHT: f64 = 600.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 340.0;

/// `a` to `d` are colours that differ in brightness, too.
const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #222 } .title { font-size: 15px; font-weight: 600 }
.page { fill: #fff } .grid { stroke: #ddd } .mark { stroke: #777; stroke-dasharray: 4 3 } polyline { fill: none; stroke-width: 2 }
.a { color: #0b5394 } .b { color: #2a9d8f } .c { color: #8e6c00 } .d { color: #c0392b }
circle { fill: currentColor } polyline { stroke: currentColor }
@media (prefers-color-scheme: dark) {
text { fill: #ddd } .page { fill: #16181c } .grid { stroke: #3a3d42 } .mark { stroke: #999 }
.a { color: #6fb1f2 } .b { color: #5fd3c3 } .c { color: #e0bb4a } .d { color: #ff8a7a } }";

#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    /// In the order of the legend.
    pub(crate) series: Vec<Series>,
    /// Upright lines, and what they say.
    pub(crate) marks: Vec<(f64, String)>,
}

#[derive(Debug)]
pub(crate) struct Axis {
    pub(crate) label: &'static str,
    pub(crate) logarithmic: bool,
    pub(crate) range: (f64, f64),
    pub(crate) ticks: Vec<(f64, &'static str)>,
}

#[derive(Debug)]
pub(crate) struct Series {
    name: &'static str,
    colour: &'static str,
    joined: bool,
    points: Vec<(f64, f64)>,
}

impl Series {
    pub(crate) fn line(name: &'static str, colour: &'static str, points: Vec<(f64, f64)>) -> Self {
        Self { name, colour, joined: true, points }
    }

    pub(crate) fn dots(name: &'static str, colour: &'static str, points: Vec<(f64, f64)>) -> Self {
        Self { name, colour, joined: false, points }
    }

    fn radius(&self) -> f64 {
        if self.joined { 4.0 } else { 2.0 }
    }
}

impl Axis {
    /// From 0 at the beginning to 1 at the end; what lies outside is put there.
    fn place(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.logarithmic { value.ln() } else { value };
        let (from, to) = (scale(self.range.0), scale(self.range.1));
        ((scale(value) - from) / (to - from)).clamp(0.0, 1.0)
    }
}

impl Chart {
    pub(crate) fn draw(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n<title>{}</title>\n\
             <style>{STYLE}</style>\n<rect class=\"page\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n",
            self.title
        );
        text(&mut svg, (LEFT, 28.0), "start", "title", self.title);
        self.axes(&mut svg);
        self.marks(&mut svg);
        for (place, series) in self.series.iter().enumerate() {
            self.points(&mut svg, series);
            #[allow(clippy::cast_precision_loss, reason = "a handful")]
            legend(&mut svg, series, TOP + 10.0 + 24.0 * place as f64);
        }
        svg + "</svg>\n"
    }

    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (LEFT + self.x.place(x) * (RIGHT - LEFT), BOTTOM - self.y.place(y) * (BOTTOM - TOP))
    }

    fn axes(&self, svg: &mut String) {
        for (value, label) in &self.x.ticks {
            let (x, _) = self.at((*value, self.y.range.0));
            line(svg, "grid", (x, TOP), (x, BOTTOM));
            text(svg, (x, BOTTOM + 20.0), "middle", "", label);
        }
        for (value, label) in &self.y.ticks {
            let (_, y) = self.at((self.x.range.0, *value));
            line(svg, "grid", (LEFT, y), (RIGHT, y));
            text(svg, (LEFT - 8.0, y + 4.0), "end", "", label);
        }
        text(svg, (f64::midpoint(LEFT, RIGHT), BOTTOM + 44.0), "middle", "", self.x.label);
        text(svg, (LEFT - 8.0, TOP - 14.0), "end", "", self.y.label);
    }

    fn marks(&self, svg: &mut String) {
        for (value, label) in &self.marks {
            let (x, _) = self.at((*value, self.y.range.0));
            line(svg, "mark", (x, TOP), (x, BOTTOM));
            text(svg, (x + 4.0, TOP - 6.0), "start", "", label);
        }
    }

    fn points(&self, svg: &mut String, series: &Series) {
        let places: Vec<_> = series.points.iter().map(|point| self.at(*point)).collect();
        let _ = writeln!(svg, "<g class=\"{}\">", series.colour);
        if series.joined {
            let path: Vec<_> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(svg, "<polyline points=\"{}\"/>", path.join(" "));
        }
        for (x, y) in places {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{}\"/>", series.radius());
        }
        *svg += "</g>\n";
    }
}

fn legend(svg: &mut String, series: &Series, y: f64) {
    let _ = writeln!(
        svg,
        "<circle class=\"{}\" cx=\"{}\" cy=\"{}\" r=\"5\"/>",
        series.colour,
        RIGHT + 24.0,
        y - 4.0
    );
    text(svg, (RIGHT + 36.0, y), "start", "", series.name);
}

fn line(svg: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, class: &str, text: &str) {
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}
