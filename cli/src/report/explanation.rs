//! Why each pack decided as it did.

use std::io::{self, Write};

use serde_json::Value;
use tribunal::Outcome;

use super::{plain_table, write_table};
use crate::evaluator::PackReport;
use crate::terminal::{BOLD, DIM, RED, YELLOW, effect_style, plain, plain_json};

/// Every claimed pack's part, those whose decision prevailed named first.
pub(crate) fn write(out: &mut dyn Write, outcome: &Outcome, packs: &[PackReport]) -> io::Result<()> {
    writeln!(out)?;
    let effect = outcome.decision.effect;
    let decisive = outcome.packs.iter().filter(|pack| pack.decision.effect == effect);
    let decisive: Vec<String> =
        decisive.map(|pack| format!("{} on {}", plain(&pack.identity.pack), pack.identity.engine)).collect();
    match (decisive.as_slice(), &outcome.fault) {
        (_, Some(_)) => writeln!(out, "{BOLD}no pack was asked{BOLD:#}")?,
        ([], None) => writeln!(out, "{BOLD}no pack claims this request{BOLD:#}")?,
        (packs, None) => writeln!(out, "{BOLD}decided by{BOLD:#} {}", packs.join(", "))?,
    }
    for pack in packs {
        writeln!(out)?;
        write_pack(out, pack)?;
    }
    Ok(())
}

/// Lists longer than this are shown an element a line, and of those not more than so many.
const LINE: usize = 120;
const ELEMENTS: usize = 16;

/// A derived member, a line for each value in it.
fn member(place: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in members {
                member(&format!("{place}.{}", plain(name)), value, lines);
            }
        }
        Value::Array(items) if plain_json(value).len() > LINE => {
            for (index, item) in items.iter().take(ELEMENTS).enumerate() {
                member(&format!("{place}[{index}]"), item, lines);
            }
            if let Some(more) = items.len().checked_sub(ELEMENTS).filter(|more| *more > 0) {
                lines.push(format!("{place} has {more} more"));
            }
        }
        _ => lines.push(format!("{place} = {}", plain_json(value))),
    }
}

fn write_pack(out: &mut dyn Write, pack: &PackReport) -> io::Result<()> {
    let identity = &pack.identity;
    writeln!(
        out,
        "{BOLD}{}{BOLD:#} {} on {} {DIM}({}){DIM:#}",
        plain(&identity.pack),
        plain(&identity.version),
        identity.engine,
        plain(&identity.engine_version)
    )?;
    if let Some(fault) = &pack.fault {
        writeln!(out, "  {RED}fault{RED:#}    {}: {}", fault.kind, plain(&fault.detail))?;
    }
    if let Some(decision) = &pack.decision {
        let style = effect_style(decision.effect);
        let reason = decision.reason.iter().map(|reason| format!("  {}", plain(reason))).collect::<String>();
        writeln!(out, "  decided  {style}{}{style:#}{reason}", decision.effect)?;
    }
    if let Some(rules) = &pack.rules {
        writeln!(out, "  rules    {}", plain(&rules.to_string()))?;
    }
    if let Some(Value::Object(members)) = &pack.derived {
        let mut lines = Vec::new();
        for (name, value) in members {
            member(&plain(name), value, &mut lines);
        }
        for (index, line) in lines.iter().enumerate() {
            let label = if index == 0 { "derived" } else { "" };
            writeln!(out, "  {label:<8} {line}")?;
        }
    }
    if !pack.trace.is_empty() {
        let mut table = plain_table(&["place", "rule", "came to"]);
        for line in &pack.trace {
            let place = line.location.as_ref().map(ToString::to_string).unwrap_or_else(|| "—".to_owned());
            table.add_row([&*plain(&place), &*plain(&line.rule), &*plain(&line.note)]);
        }
        write_table(out, "  ", &table)?;
    }
    for note in &pack.notes {
        writeln!(out, "  {YELLOW}note{YELLOW:#}     {}", plain(note))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn derived_members_are_shown_a_value_a_line() {
        let shown = |value: &Value| {
            let mut lines = Vec::new();
            member("m", value, &mut lines);
            lines
        };
        assert_eq!(shown(&json!("text")), ["m = \"text\""]);
        assert_eq!(shown(&json!([])), ["m = []"]);
        assert_eq!(shown(&json!(["a", 1])), ["m = [\"a\",1]"]);
        assert_eq!(shown(&json!({"host": "h", "port": 1})), ["m.host = \"h\"", "m.port = 1"]);
        let url = "https://h.example:443/a/long/path".repeat(2);
        assert_eq!(shown(&json!([url, url])), [format!("m[0] = {url:?}"), format!("m[1] = {url:?}")]);
        let lines = shown(&json!(vec!["a long element"; 20]));
        assert_eq!((lines.len(), lines.last().unwrap().as_str()), (17, "m has 4 more"));
    }
}
