//! What the processes of one row say together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Figures;

/// A figure that two subjects can be compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quantile {
    /// The mean.
    Mean,
    /// The median.
    P50,
    /// Nine in ten are no larger.
    P90,
    /// Ninety-nine in a hundred.
    P99,
    /// Nine hundred and ninety-nine in a thousand.
    P999,
}

impl Quantile {
    /// Every one, in the order of tables.
    pub const ALL: [Quantile; 5] =
        [Quantile::Mean, Quantile::P50, Quantile::P90, Quantile::P99, Quantile::P999];

    /// What tables and command lines call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Quantile::Mean => "mean",
            Quantile::P50 => "p50",
            Quantile::P90 => "p90",
            Quantile::P99 => "p99",
            Quantile::P999 => "p99.9",
        }
    }

    /// Reads what [`Quantile::as_str`] writes.
    ///
    /// # Errors
    /// What it could have been.
    pub fn parse(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|quantile| quantile.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is not one of mean, p50, p90, p99, p99.9"))
    }

    /// This figure of a process, if it took samples enough.
    pub fn of(self, figures: &Figures) -> Option<f64> {
        match self {
            Quantile::Mean => Some(figures.mean),
            Quantile::P50 => (!figures.mean_only).then_some(figures.p50),
            Quantile::P90 => (!figures.mean_only).then_some(figures.p90),
            Quantile::P99 => figures.p99,
            Quantile::P999 => figures.p999,
        }
    }
}

/// What the processes of one row say together: of each figure, the median over the processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Processes that measured.
    pub processes: usize,
    /// Samples of all of them.
    pub samples: u64,
    /// The smallest sample of any.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// The median distance from the median, inside a process.
    pub mad: f64,
    /// Nine in ten are no larger.
    pub p90: f64,
    /// Ninety-nine in a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99: Option<f64>,
    /// Nine hundred and ninety-nine in a thousand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p999: Option<f64>,
    /// The largest sample of any.
    pub max: f64,
    /// How far apart the processes' medians are: the largest less the smallest, over their median.
    pub spread: f64,
}

impl Summary {
    /// One of its figures.
    pub fn at(&self, quantile: Quantile) -> Option<f64> {
        match quantile {
            Quantile::Mean => Some(self.mean),
            Quantile::P50 => Some(self.p50),
            Quantile::P90 => Some(self.p90),
            Quantile::P99 => self.p99,
            Quantile::P999 => self.p999,
        }
    }
}

/// Summarises the processes of one row; `None` without any.
pub fn summarise<'f>(processes: impl IntoIterator<Item = &'f Figures>) -> Option<Summary> {
    let processes: Vec<&Figures> = processes.into_iter().collect();
    let over = |figure: &dyn Fn(&Figures) -> Option<f64>| {
        median(&processes.iter().filter_map(|figures| figure(figures)).collect::<Vec<f64>>())
    };
    let p50 = over(&|figures| Some(figures.p50))?;
    let medians = || processes.iter().map(|figures| figures.p50);
    let (low, high) = (medians().fold(f64::INFINITY, f64::min), medians().fold(0.0, f64::max));
    Some(Summary {
        processes: processes.len(),
        samples: processes.iter().map(|figures| figures.samples).sum(),
        min: processes.iter().map(|figures| figures.min).fold(f64::INFINITY, f64::min),
        mean: over(&|figures| Some(figures.mean))?,
        p50,
        mad: over(&|figures| Some(figures.mad))?,
        p90: over(&|figures| Some(figures.p90))?,
        p99: over(&|figures| figures.p99),
        p999: over(&|figures| figures.p999),
        max: processes.iter().map(|figures| figures.max).fold(0.0, f64::max),
        spread: if p50 > 0.0 { (high - low) / p50 } else { 0.0 },
    })
}

/// The median; of an even number of values, the mean of the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2).copied()?;
    match sorted.len() % 2 {
        1 => Some(upper),
        _ => sorted.get(sorted.len() / 2 - 1).map(|lower| f64::midpoint(*lower, upper)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_disturbed_process_moves_no_figure() {
        let processes: Vec<Figures> = [10.0, 11.0, 12.0, 13.0, 900.0].map(Figures::once).to_vec();
        let found = summarise(&processes).unwrap();
        assert_eq!((found.p50, found.p90, found.min, found.max), (12.0, 12.0, 10.0, 900.0));
        assert!(found.spread > 70.0, "but it shows: {}", found.spread);
        assert_eq!((found.processes, found.samples), (5, 5));
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn quantiles_are_read_as_they_are_written() {
        for quantile in Quantile::ALL {
            assert_eq!(Quantile::parse(quantile.as_str()), Ok(quantile));
        }
        assert!(Quantile::parse("p95").is_err());
    }
}
