//! The views of one text, each made when the first rule asks for it.

use std::cell::OnceCell;

use super::spec::View;
use crate::derive::reading::fold::{TooDeep, clean, plain};
use crate::derive::reading::mapped::Mapped;
use crate::derive::reading::markup::{self, Markup};
use crate::derive::reading::{Segment, encoded, invisible};

/// Readings of one text.
#[derive(Debug)]
pub(super) struct Views<'t> {
    text: &'t str,
    clean: OnceCell<Mapped>,
    plain: OnceCell<Result<Mapped, TooDeep>>,
    visible: OnceCell<Result<Mapped, TooDeep>>,
    markup: OnceCell<Result<Markup, TooDeep>>,
    invisible: OnceCell<Vec<Segment>>,
    decoded: OnceCell<Result<Vec<Segment>, TooDeep>>,
}

/// One reading.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reading<'v> {
    /// The text itself.
    Whole(&'v str),
    /// The text, changed.
    Mapped(&'v Mapped),
    /// What stands in it here and there.
    Gathered(&'v [Segment]),
}

impl<'t> Views<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self {
            text,
            clean: OnceCell::new(),
            plain: OnceCell::new(),
            visible: OnceCell::new(),
            markup: OnceCell::new(),
            invisible: OnceCell::new(),
            decoded: OnceCell::new(),
        }
    }

    pub(super) fn clean(&self) -> &Mapped {
        self.clean.get_or_init(|| clean(self.text))
    }

    /// The text as a view shows it.
    pub(super) fn read(&self, view: View) -> Result<Reading<'_>, TooDeep> {
        let markup = || self.markup.get_or_init(|| markup::read(self.text)).as_ref().map_err(|error| *error);
        Ok(match view {
            View::Text => Reading::Whole(self.text),
            View::Clean => Reading::Mapped(self.clean()),
            View::Plain => {
                Reading::Mapped(self.plain.get_or_init(|| plain(self.text)).as_ref().map_err(|error| *error)?)
            }
            View::Visible => {
                let visible = &markup()?.visible;
                let folded = self.visible.get_or_init(|| Ok(plain(visible.text())?.over(visible)));
                Reading::Mapped(folded.as_ref().map_err(|error| *error)?)
            }
            View::Hidden => Reading::Gathered(&markup()?.hidden),
            View::Links => Reading::Gathered(&markup()?.links),
            View::Images => Reading::Gathered(&markup()?.images),
            View::Invisible => Reading::Gathered(self.invisible.get_or_init(|| invisible::runs(self.text))),
            View::Decoded => {
                let runs = self.decoded.get_or_init(|| {
                    let clean = self.clean();
                    let mut runs = encoded::runs(clean.text())?;
                    for run in &mut runs {
                        run.span = clean.source(run.span.clone());
                    }
                    Ok(runs)
                });
                Reading::Gathered(runs.as_ref().map_err(|error| *error)?)
            }
        })
    }
}
