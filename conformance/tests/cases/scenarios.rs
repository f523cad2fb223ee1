//! Every shipped scenario on every engine that its packs offer, each as a test of its own: `scenario/pack/engine/name`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use libtest_mimic::Trial;
use tribunal_conformance::scenario::{AttackClass, Scenario, Stages, folders, read_folder};

/// The fewest scenarios of each class of attacks.
const FEWEST_SCENARIOS: usize = 10;

pub(crate) fn trials(root: &Path) -> Vec<Trial> {
    let mut stages = Stages::new(tribunal::registry());
    let mut trials = Vec::new();
    let mut classes: BTreeMap<AttackClass, usize> = BTreeMap::new();
    for folder in folders(&root.join("../packs")).unwrap() {
        match read_folder(&folder, &mut stages) {
            Ok(scenarios) => {
                for scenario in scenarios {
                    *classes.entry(scenario.spec.attack).or_default() += 1;
                    trials.extend(of_scenario(Arc::new(scenario)));
                }
            }
            Err(errors) => {
                let name = format!("scenario/{}/read", folder.display());
                trials.push(Trial::test(name, move || Err(errors.to_string().into())));
            }
        }
    }
    trials.push(Trial::test("scenario/enough-of-each-class", move || {
        let attacks = AttackClass::ALL.into_iter().filter(|class| *class != AttackClass::Other);
        for class in attacks {
            let count = classes.get(&class).copied().unwrap_or(0);
            if count < FEWEST_SCENARIOS {
                return Err(format!("{count} scenarios of {class:?}, fewer than {FEWEST_SCENARIOS}").into());
            }
        }
        Ok(())
    }));
    trials
}

fn of_scenario(scenario: Arc<Scenario>) -> Vec<Trial> {
    let engines: Vec<String> = scenario.stage.engines().map(str::to_owned).collect();
    let trial = |engine: String| {
        let scenario = scenario.clone();
        let name = format!("scenario/{}/{engine}/{}", scenario.pack, scenario.spec.name);
        Trial::test(name, move || {
            let result = scenario.play(&engine).map_err(|errors| format!("does not load: {errors}"))?;
            if result.failures.is_empty() {
                return Ok(());
            }
            Err(format!("{}\n{}", result.location, result.failures.join("\n")).into())
        })
    };
    engines.into_iter().map(trial).collect()
}
