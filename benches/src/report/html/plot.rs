//! Axes, and the marks on them, as SVG that the page's style colours.

use std::fmt::Write;

use super::text;

/// Width of a plot, in its own units; the page scales it.
pub(super) const WIDTH: f64 = 720.0;
/// Where the names of rows end.
pub(super) const LEFT: f64 = 150.0;
/// Where the axis ends.
pub(super) const RIGHT: f64 = WIDTH - 24.0;

/// A logarithmic axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Log {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Log {
    /// An axis that holds all values, between two places of the plot; `None` without a positive value.
    pub(super) fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Option<Self> {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|value| value.is_finite() && *value > 0.0) {
            low = low.min(value);
            high = high.max(value);
        }
        if high <= 0.0 {
            return None;
        }
        // A little room, and never an axis without length.
        let (low, high) = (low.log10() - 0.05, (high.log10() + 0.05).max(low.log10() + 0.5));
        Some(Self { low, high, from, to })
    }

    /// Where a value lies.
    pub(super) fn at(&self, value: f64) -> f64 {
        let share = (value.max(f64::MIN_POSITIVE).log10() - self.low) / (self.high - self.low);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// The values at which the axis is marked: 1, 2 and 5 of each decade, or the decades alone where there are many.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let steps: &[f64] = if self.high - self.low < 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let decades = (self.low.floor() as i32)..=(self.high.ceil() as i32);
        decades
            .flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)))
            .filter(|value| value.log10() >= self.low && value.log10() <= self.high)
            .collect()
    }
}

/// An SVG under construction.
pub(super) struct Svg {
    height: f64,
    label: String,
    body: String,
    caption: String,
}

impl Svg {
    /// An empty one; `label` is what those hear who do not see it.
    pub(super) fn new(height: f64, label: &str) -> Self {
        Self { height, label: label.to_owned(), body: String::new(), caption: String::new() }
    }

    fn put(&mut self, mark: std::fmt::Arguments<'_>) {
        // Writing to a text cannot fail.
        let _written = self.body.write_fmt(mark);
        self.body.push('\n');
    }

    /// A vertical line across the plot with what it stands for below.
    pub(super) fn tick(&mut self, x: f64, top: f64, bottom: f64, label: &str) {
        self.put(format_args!(
            r#"<line class="grid" x1="{x:.1}" x2="{x:.1}" y1="{top:.1}" y2="{bottom:.1}"/><text class="tick" x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            bottom + 14.0,
            text(label)
        ));
    }

    /// A horizontal line with what it stands for to the left.
    pub(super) fn level(&mut self, y: f64, label: &str) {
        self.put(format_args!(
            r#"<line class="grid" x1="{LEFT:.1}" x2="{RIGHT:.1}" y1="{y:.1}" y2="{y:.1}"/><text class="tick" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
            LEFT - 8.0,
            y + 4.0,
            text(label)
        ));
    }

    /// The name of a row.
    pub(super) fn name(&mut self, y: f64, name: &str) {
        self.put(format_args!(
            r#"<text class="name" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
            LEFT - 10.0,
            y + 4.0,
            text(name)
        ));
    }

    /// Words at a place.
    pub(super) fn words(&mut self, x: f64, y: f64, class: &str, words: &str) {
        self.put(format_args!(r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{}</text>"#, text(words)));
    }

    /// A filled outline.
    pub(super) fn area(&mut self, points: &[(f64, f64)], colour: usize, title: &str) {
        self.put(format_args!(
            r#"<polygon class="fill c{}" points="{}"><title>{}</title></polygon>"#,
            colour % COLOURS,
            path(points),
            text(title)
        ));
    }

    /// A line through points, each marked.
    pub(super) fn line(&mut self, points: &[(f64, f64)], colour: usize, title: &str) {
        let colour = colour % COLOURS;
        self.put(format_args!(
            r#"<polyline class="line c{colour}" points="{}"><title>{}</title></polyline>"#,
            path(points),
            text(title)
        ));
        for (x, y) in points {
            self.put(format_args!(r#"<circle class="fill c{colour}" cx="{x:.1}" cy="{y:.1}" r="3"/>"#));
        }
    }

    /// A mark of one of four shapes, so that colour is not all that tells them apart.
    pub(super) fn mark(&mut self, x: f64, y: f64, kind: usize, title: &str) {
        let shape = match kind % 4 {
            0 => format!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="5""#),
            1 => format!(r#"<rect x="{:.1}" y="{:.1}" width="9" height="9""#, x - 4.5, y - 4.5),
            2 => format!(
                r#"<polygon points="{}""#,
                path(&[(x, y - 6.0), (x + 6.0, y + 5.0), (x - 6.0, y + 5.0)])
            ),
            _ => format!(
                r#"<polygon points="{}""#,
                path(&[(x, y - 6.0), (x + 6.0, y), (x, y + 6.0), (x - 6.0, y)])
            ),
        };
        let name = shape.split(' ').next().unwrap_or_default().trim_start_matches('<').to_owned();
        self.put(format_args!(
            r#"{shape} class="fill c{}"><title>{}</title></{name}>"#,
            kind % COLOURS,
            text(title)
        ));
    }

    /// A bar.
    pub(super) fn bar(&mut self, x: f64, y: f64, width: f64, height: f64, colour: usize, title: &str) {
        self.put(format_args!(
            r#"<rect class="fill c{}" x="{x:.1}" y="{y:.1}" width="{:.1}" height="{height:.1}"><title>{}</title></rect>"#,
            colour % COLOURS,
            width.max(0.5),
            text(title)
        ));
    }

    /// An upright stroke at a value.
    pub(super) fn stroke(&mut self, x: f64, top: f64, bottom: f64, title: &str) {
        self.put(format_args!(
            r#"<line class="stroke" x1="{x:.1}" x2="{x:.1}" y1="{top:.1}" y2="{bottom:.1}"><title>{}</title></line>"#,
            text(title)
        ));
    }

    /// What stands below the plot.
    pub(super) fn caption(&mut self, words: &str) {
        self.caption = format!("<figcaption>{}</figcaption>", text(words));
    }

    /// The whole.
    pub(super) fn finish(self) -> String {
        format!(
            "<figure class=\"scroll\" tabindex=\"0\"><svg viewBox=\"0 0 {WIDTH} {:.0}\" role=\"img\" aria-label=\"{}\">\n{}</svg>{}</figure>\n",
            self.height,
            text(&self.label),
            self.body,
            self.caption
        )
    }
}

/// Colours that the style has.
pub(super) const COLOURS: usize = 15;

fn path(points: &[(f64, f64)]) -> String {
    points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_holds_its_values_in_their_order() {
        let axis = Log::over([3.0, 4_000.0, 70.0].into_iter(), 0.0, 100.0).unwrap();
        assert!(axis.at(3.0) > 0.0 && axis.at(4_000.0) < 100.0 && axis.at(70.0) > axis.at(3.0));
        assert_eq!(axis.ticks(), [10.0, 100.0, 1_000.0]);
        assert_eq!(Log::over(std::iter::empty(), 0.0, 1.0), None);
        assert!(Log::over([5.0].into_iter(), 0.0, 100.0).is_some_and(|axis| axis.at(5.0) < 100.0));
    }
}
