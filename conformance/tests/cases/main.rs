//! Every case of every shipped pack on every engine the pack offers, each as a test of its own: `pack/engine/case`.
//! The packs in `tests/faults` are put to the same runner: they are made to fail, see `faults.rs`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a panic is how a test fails, and what is skipped is told loudly"
)]

mod artefacts;
mod capabilities;
mod completeness;
mod costs;
mod faults;
mod packs;
mod prompt_injection;
mod reference;
mod scenarios;

use libtest_mimic::{Arguments, Trial};
use std::path::Path;

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut trials = Vec::new();
    for pack in packs::folders(&root.join("../packs")) {
        trials.extend(pack.trials(""));
        trials.push(pack.coverage());
    }
    trials.extend(faults::trials(root));
    trials.extend(capabilities::trials(root));
    trials.extend(artefacts::trials(root));
    trials.extend(completeness::trials(root));
    trials.extend(costs::trials(root));
    trials.extend(prompt_injection::trials(root));
    trials.extend(reference::trials(root));
    trials.extend(scenarios::trials(root));
    trials.push(Trial::test("packs/enough-cases", packs::enough_cases));
    libtest_mimic::run(&arguments, trials).exit();
}
