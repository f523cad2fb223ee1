//! The table of costs in the packs' README has a line for every pack and a figure for every engine it offers. The figures
//! themselves are measured, by `cargo bench -p tribunal-benches --bench packs -- --splice`.

use std::collections::BTreeMap;
use std::path::Path;

use libtest_mimic::{Failed, Trial};

use crate::packs::folders;

pub(crate) fn trials(root: &Path) -> Vec<Trial> {
    let packs = root.join("../packs");
    vec![Trial::test("packs/costs-are-told-of-every-pack-and-engine", move || {
        let offered = folders(&packs).into_iter().map(|pack| {
            let (source, _) = pack.read?;
            Ok((pack.name, source.manifest.engines.keys().cloned().collect()))
        });
        let offered = offered.collect::<Result<BTreeMap<String, Vec<String>>, String>>()?;
        let text = std::fs::read_to_string(packs.join("README.md"))?;
        let told = told(&text).ok_or("no table of costs between its marks")?;
        if told == offered {
            return Ok(());
        }
        let wrong = offered
            .iter()
            .filter(|(pack, engines)| told.get(*pack) != Some(*engines))
            .map(|(pack, engines)| format!("`{pack}` is on {engines:?}, and told of {:?}", told.get(pack)))
            .chain(
                told.keys()
                    .filter(|pack| !offered.contains_key(*pack))
                    .map(|pack| format!("no pack `{pack}`")),
            );
        Err(Failed::from(wrong.collect::<Vec<_>>().join("\n")))
    })]
}

/// By pack the engines with a figure.
fn told(readme: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let (_, rest) = readme.split_once("<!-- costs: begin -->")?;
    let (table, _) = rest.split_once("<!-- costs: end -->")?;
    let mut lines = table.lines().filter(|line| line.starts_with("| ")).map(|line| {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<String>>()
    });
    let head = lines.next()?;
    let engines = |line: &[String]| -> Vec<String> {
        // After the pack and the number of its requests the engines, then what the host does.
        let cells = head.iter().zip(line).skip(2).take_while(|(name, _)| *name != "of it host");
        cells.filter(|(_, cell)| is_figure(cell)).map(|(name, _)| name.clone()).collect()
    };
    Some(lines.map(|line| (line[0].trim_matches('`').to_owned(), engines(&line))).collect())
}

/// `14×` or `1.4×`, above zero.
fn is_figure(cell: &str) -> bool {
    cell.strip_suffix('×').and_then(|number| number.parse::<f64>().ok()).is_some_and(|number| number > 0.0)
}
