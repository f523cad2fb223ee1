//! Figures in a document, put there by program and checked by it: between two marks nobody writes by hand.

/// Where the figures begin.
pub const BEGIN: &str = "<!-- begin: tribunal bench --splice -->";
/// Where they end.
pub const END: &str = "<!-- end: tribunal bench --splice -->";

/// Why nothing can be put into a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    /// A mark is missing.
    #[error("the mark `{0}` is missing")]
    Missing(&'static str),
    /// A mark stands twice, or the end before the beginning: what is between is not clear.
    #[error("the marks do not stand once each, one before the other")]
    Unclear,
}

/// A document with an excerpt between its marks, in place of what was there.
///
/// # Errors
/// Marks that are missing, or do not stand once each.
pub fn splice(document: &str, excerpt: &str) -> Result<String, SpliceError> {
    let (before, rest) = document.split_once(BEGIN).ok_or(SpliceError::Missing(BEGIN))?;
    if before.contains(END) || rest.contains(BEGIN) {
        return Err(SpliceError::Unclear);
    }
    let (_, after) = rest.split_once(END).ok_or(SpliceError::Missing(END))?;
    if after.contains(END) {
        return Err(SpliceError::Unclear);
    }
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", excerpt.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stood_between_the_marks_goes_and_nothing_else() {
        let document = format!("a\n{BEGIN}\nold\nolder\n{END}\nb\n");
        let new = splice(&document, "new\n\n").unwrap();
        assert_eq!(new, format!("a\n{BEGIN}\nnew\n{END}\nb\n"));
        assert_eq!(splice(&new, "new").unwrap(), new, "and again it changes nothing");
    }

    #[test]
    fn marks_that_are_not_clear_are_refused() {
        assert_eq!(splice("a", "x"), Err(SpliceError::Missing(BEGIN)));
        assert_eq!(splice(BEGIN, "x"), Err(SpliceError::Missing(END)));
        for unclear in
            [format!("{END}{BEGIN}{END}"), format!("{BEGIN}{BEGIN}{END}"), format!("{BEGIN}{END}{END}")]
        {
            assert_eq!(splice(&unclear, "x"), Err(SpliceError::Unclear), "{unclear}");
        }
    }
}
