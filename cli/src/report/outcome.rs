//! A decision and each pack's part in it.

use std::io::{self, Write};

use serde_json::Value;
use tribunal::core::contract::PackOutcome;
use tribunal::{Decision, DecisionEffect, Outcome, Patch};

use super::{plain_table, write_table};
use crate::terminal::{BOLD, DIM, GREEN, RED, YELLOW, duration, effect_style, plain, plain_json};

/// The decision on one line.
pub(crate) fn write_decision(out: &mut dyn Write, decision: &Decision) -> io::Result<()> {
    let style = effect_style(decision.effect);
    write!(out, "{style}{}{style:#}", decision.effect)?;
    if let Some(reason) = &decision.reason {
        write!(out, "  {}", plain(reason))?;
    }
    writeln!(out)
}

/// The decision, what it demands, and the packs behind it.
pub(crate) fn write(out: &mut dyn Write, request: Option<&Value>, outcome: &Outcome) -> io::Result<()> {
    write_decision(out, &outcome.decision)?;
    if let Some(fault) = &outcome.fault {
        writeln!(out, "{BOLD}fault{BOLD:#}  {}: {}", fault.kind, plain(&fault.detail))?;
    }
    write_demand(out, &outcome.decision)?;
    write_changes(out, request, &outcome.decision)?;
    if !outcome.packs.is_empty() {
        writeln!(out)?;
        let mut table = plain_table(&["pack", "engine", "effect", "reason", "rules", "time"]);
        for pack in &outcome.packs {
            let reason = pack.decision.reason.as_deref().map_or_else(Default::default, plain);
            table.add_row([
                &*plain(&pack.identity.pack),
                &engine(pack),
                pack.decision.effect.as_str(),
                &*reason,
                &*plain(&pack.rules.to_string()),
                &duration(pack.duration_ns),
            ]);
        }
        write_table(out, "", &table)?;
    }
    for pack in &outcome.packs {
        write_remarks(out, pack)?;
    }
    writeln!(
        out,
        "{DIM}decided in {} as of {}{}{DIM:#}",
        duration(outcome.duration_ns),
        outcome.now,
        rounds(outcome)
    )
}

fn engine(pack: &PackOutcome) -> String {
    match &pack.identity.fallback_from {
        Some(wanted) => format!("{} (for {})", pack.identity.engine, plain(wanted)),
        None => pack.identity.engine.clone(),
    }
}

fn rounds(outcome: &Outcome) -> String {
    if outcome.rounds > 1 { format!(", {} rounds of redaction", outcome.rounds) } else { String::new() }
}

/// What a step-up asks for.
fn write_demand(out: &mut dyn Write, decision: &Decision) -> io::Result<()> {
    let Some(demand) = &decision.step_up else { return Ok(()) };
    let mut parts: Vec<String> = Vec::new();
    parts.extend(demand.method.iter().map(|method| format!("method {}", plain(method))));
    parts.extend(demand.acr.iter().map(|acr| format!("acr {}", plain(acr))));
    parts.extend(demand.amr.iter().map(|amr| format!("amr {}", plain(amr))));
    writeln!(out, "{BOLD}demands{BOLD:#}  {}", parts.join(", "))
}

/// The patches as the lines that go and the lines that come.
pub(crate) fn write_changes(
    out: &mut dyn Write,
    request: Option<&Value>,
    decision: &Decision,
) -> io::Result<()> {
    if decision.effect != DecisionEffect::Redact {
        return Ok(());
    }
    writeln!(out)?;
    for patch in &decision.patches {
        let place = patch.path();
        let shown = place.to_string();
        let shown = plain(&shown);
        if let Some(before) = request.and_then(|request| place.get(request)) {
            writeln!(out, "{RED}- {shown}: {}{RED:#}", plain_json(before))?;
        }
        if let Patch::Replace { value, .. } = patch {
            writeln!(out, "{GREEN}+ {shown}: {}{GREEN:#}", plain_json(value))?;
        }
    }
    Ok(())
}

/// What should be known about a pack beyond its decision.
fn write_remarks(out: &mut dyn Write, pack: &PackOutcome) -> io::Result<()> {
    let name = plain(&pack.identity.pack);
    if let Some(fault) = &pack.fault {
        writeln!(out, "{BOLD}{name}{BOLD:#}: fault {}: {}", fault.kind, plain(&fault.detail))?;
    }
    if pack.stale {
        writeln!(out, "{YELLOW}{name}: a newer version could not be loaded{YELLOW:#}")?;
    }
    for shadow in &pack.shadows {
        let says = if shadow.differences.is_empty() {
            "agrees".to_owned()
        } else {
            let respects: Vec<&str> =
                shadow.differences.iter().map(|difference| difference.as_str()).collect();
            format!("would {} (differs in {})", shadow.decision.effect, respects.join(", "))
        };
        writeln!(out, "{name}: shadow {} {says}", plain(&shadow.engine))?;
    }
    Ok(())
}
