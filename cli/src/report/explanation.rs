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
        for (index, (name, value)) in members.iter().enumerate() {
            let label = if index == 0 { "derived" } else { "" };
            writeln!(out, "  {label:<8} {} = {}", plain(name), plain_json(value))?;
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
