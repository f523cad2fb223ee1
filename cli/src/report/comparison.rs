//! Every engine's answer, in one table.

use std::io::{self, Write};

use serde_json::Value;
use tribunal::{Outcome, core::contract::Rules};

use super::outcome::{write_changes, write_decision};
use super::{ruled_table, write_table};
use crate::lineup::{EngineRow, Status};
use crate::terminal::{BOLD, DIM, GREEN, RED, YELLOW, duration, plain};

/// What the deployment decides, a row for each engine, and whether they agree.
pub(crate) fn write(
    out: &mut dyn Write,
    request: Option<&Value>,
    outcome: &Outcome,
    rows: &[EngineRow],
) -> io::Result<()> {
    write_decision(out, &outcome.decision)?;
    if let Some(fault) = &outcome.fault {
        writeln!(out, "{BOLD}fault{BOLD:#}  {}: {}", fault.kind, plain(&fault.detail))?;
    }
    write_changes(out, request, &outcome.decision)?;
    if !outcome.packs.is_empty() {
        let deployed = outcome
            .packs
            .iter()
            .map(|pack| format!("{} on {}", plain(&pack.identity.pack), pack.identity.engine));
        writeln!(out, "{DIM}as deployed: {}{DIM:#}", deployed.collect::<Vec<_>>().join(", "))?;
    }
    writeln!(out)?;
    let mut table = ruled_table(&["engine", "effect", "reason", "rules", "time", "agrees"]);
    for row in rows {
        table.add_row(cells(row, outcome.packs.len()));
    }
    write_table(out, "", &table)?;
    for row in rows.iter().filter(|row| row.status == Status::Unsupported) {
        let detail = row.detail.as_deref().map_or_else(Default::default, plain);
        writeln!(out, "{YELLOW}{}{YELLOW:#} is not compared: {detail}", row.engine)?;
    }
    for row in rows.iter().filter(|row| row.differs()) {
        let fault = row.detail.iter().cloned().chain(row.outcome.iter().flat_map(faults));
        for line in fault.flat_map(|detail| detail.lines().map(str::to_owned).collect::<Vec<_>>()) {
            writeln!(out, "{RED}{}{RED:#}: {}", row.engine, plain(&line))?;
        }
    }
    write_verdict(out, rows)
}

fn write_verdict(out: &mut dyn Write, rows: &[EngineRow]) -> io::Result<()> {
    let compared = rows.iter().filter(|row| row.status != Status::Unsupported).count();
    let differing: Vec<&str> =
        rows.iter().filter(|row| row.differs()).map(|row| row.engine.as_str()).collect();
    match (compared, differing.as_slice()) {
        (0, _) => writeln!(out, "{YELLOW}no engine can be compared{YELLOW:#}"),
        (1, []) => writeln!(out, "{YELLOW}one engine answers: there is nothing to compare it with{YELLOW:#}"),
        (_, []) => writeln!(out, "{GREEN}all {compared} engines agree{GREEN:#}"),
        (_, differing) => writeln!(out, "{RED}the engines disagree: {}{RED:#}", differing.join(", ")),
    }
}

fn cells(row: &EngineRow, packs: usize) -> [String; 6] {
    let agrees = match row.status {
        Status::Agrees => "yes".to_owned(),
        Status::Unsupported => "not supported".to_owned(),
        Status::Differs => {
            let pack = |(name, respects): (&String, &Vec<_>)| {
                let respects: Vec<&str> = respects
                    .iter()
                    .map(|respect: &tribunal::core::contract::parity::Difference| respect.as_str())
                    .collect();
                if packs > 1 {
                    format!("{}: {}", plain(name), respects.join(", "))
                } else {
                    respects.join(", ")
                }
            };
            format!("no: {}", row.differences.iter().map(pack).collect::<Vec<_>>().join("; "))
        }
    };
    let Some(outcome) = &row.outcome else {
        return [row.engine.clone(), "—".to_owned(), "—".to_owned(), "—".to_owned(), "—".to_owned(), agrees];
    };
    let reason = outcome.decision.reason.as_deref().map_or_else(Default::default, plain).into_owned();
    [
        row.engine.clone(),
        outcome.decision.effect.to_string(),
        reason,
        rules(outcome),
        duration(outcome.duration_ns),
        agrees,
    ]
}

/// The rules of the packs whose decision prevailed, each pack's on its own line.
fn rules(outcome: &Outcome) -> String {
    let decisive: Vec<_> =
        outcome.packs.iter().filter(|pack| pack.decision.effect == outcome.decision.effect).collect();
    let names = |rules: &Rules| plain(&rules.to_string()).into_owned();
    match decisive.as_slice() {
        [] => "—".to_owned(),
        packs if packs.iter().all(|pack| pack.rules == Rules::UNAVAILABLE) => Rules::UNAVAILABLE.to_string(),
        [pack] => names(&pack.rules),
        packs => {
            let lines =
                packs.iter().map(|pack| format!("{}: {}", plain(&pack.identity.pack), names(&pack.rules)));
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

fn faults(outcome: &Outcome) -> Vec<String> {
    let packs = outcome.packs.iter().filter_map(|pack| {
        pack.fault.as_ref().map(|fault| format!("pack `{}`: {fault}", pack.identity.pack))
    });
    packs.collect()
}
