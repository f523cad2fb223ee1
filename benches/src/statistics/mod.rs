//! Honest figures: what one process measured, what several processes say together, and how sure a ratio is.
//!
//! Samples of one process are not independent: they share an address-space layout, a frequency and a neighbour. So a
//! process is one observation of each figure, a row's figure is the median over its processes, and an interval is drawn
//! over processes, never over samples.
//!
//! - [`Recorder`], [`Figures`]: the samples of one process
//! - [`Summary`]: the processes of one row
//! - [`Ratio`]: two subjects compared turn by turn, with an interval
//! - [`exponent`]: how a cost grows

mod figures;
mod fit;
mod ratio;
mod summary;

pub use figures::{Figures, Recorder};
pub use fit::{Growth, exponent};
pub use ratio::{FEWEST, Interval, RELEVANT, Ratio, Verdict, geometric_mean, ratio};
pub use summary::{Quantile, Summary, median, summarise};
