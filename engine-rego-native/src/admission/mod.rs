//! What a policy may say, checked before regorus runs it.
//!
//! Before parsing, because regorus's parser doubles its work with every bracket and recurses: `scan`. After parsing, on
//! regorus's syntax tree, because its interpreter aborts the process on recursion and answers `true` where OPA answers
//! undefined: the other modules. Everything found is reported at once.
//!
//! - `bounds`: how large and deep a policy may be
//! - `scan`: the text, token by token
//! - `symbols`: the packages, rules, functions and imports of a pack
//! - `expression`, `scope`, `walk`: what a name means at a place of a policy, and the way through its tree
//! - `calls`: built-ins and functions, and forms that regorus reads otherwise than OPA
//! - `undefined`: negations and memberships over what may be undefined
//! - `safety`: variables that nothing binds
//! - `recursion`: rules that need themselves, and how deep the others nest
//! - `data`: data that would take the place of a rule

pub(crate) mod bounds;
pub(crate) mod calls;
pub(crate) mod data;
pub(crate) mod expression;
pub(crate) mod recursion;
mod safety;
mod scan;
pub(crate) mod scope;
pub(crate) mod symbols;
mod undefined;
pub(crate) mod walk;

use regorus::unstable::{Module, Parser};
use tribunal_engine_core::document::with_nearest;
use tribunal_engine_core::engine::{LoadError, LoadErrorKind, LoadErrors};
use tribunal_engine_core::location::Location;
use tribunal_engine_core::pack::PackSource;

use crate::error::Report;
use crate::settings::{Question, RulePath};
use crate::worker::Source;
use symbols::Symbols;
pub(crate) use symbols::regorus_path;

/// What is known of a policy that may be loaded.
pub(crate) struct Admitted {
    /// The rules asked, as regorus writes their paths.
    pub(crate) question: Question<String>,
    /// Every rule, in the order of the text.
    pub(crate) rules: Vec<RulePlace>,
}

/// Where a rule stands.
#[derive(Debug, Clone)]
pub(crate) struct RulePlace {
    pub(crate) path: RulePath,
    pub(crate) place: Location,
    pub(crate) first_line: u32,
    pub(crate) last_line: u32,
}

/// Runs what parses or walks a policy on a thread whose stack is large enough for anything that [`scan`] lets through.
pub(crate) fn run<T: Send>(check: impl FnOnce() -> Result<T, LoadErrors> + Send) -> Result<T, LoadErrors> {
    let failed = |message: String| LoadErrors::from(LoadError::new(LoadErrorKind::Invalid, message));
    std::thread::scope(|scope| {
        let builder =
            std::thread::Builder::new().name("rego-admission".to_owned()).stack_size(bounds::ADMISSION_STACK);
        let thread = builder
            .spawn_scoped(scope, check)
            .map_err(|error| failed(format!("no thread to parse on: {error}")))?;
        thread.join().unwrap_or_else(|_| Err(failed("regorus panicked on this policy".to_owned())))
    })
}

/// Checks the policies of a pack.
pub(crate) fn admit(
    sources: &[Source],
    pack: &PackSource,
    question: &Question,
    strict: bool,
) -> Result<Admitted, LoadErrors> {
    inspect(sources, pack, question, strict, |symbols| Admitted {
        question: match question {
            Question::Decision(rule) => Question::Decision(regorus_path(rule)),
            Question::AllowAndReason { allow, reason } => {
                Question::AllowAndReason { allow: regorus_path(allow), reason: regorus_path(reason) }
            }
        },
        rules: symbols.places().to_vec(),
    })
}

/// Checks the policies of a pack, and hands them to whoever wants to know more of them.
pub(crate) fn inspect<T>(
    sources: &[Source],
    pack: &PackSource,
    question: &Question,
    strict: bool,
    look: impl FnOnce(&Symbols<'_>) -> T,
) -> Result<T, LoadErrors> {
    let modules = parse(sources)?;
    let symbols = Symbols::of(&modules)?;
    let mut errors = Vec::new();
    for module in symbols.modules() {
        calls::check(module, &symbols, &mut errors);
        safety::check(module, &symbols, &mut errors);
        undefined::check(module, &symbols, strict, &mut errors);
    }
    recursion::check(&symbols, &mut errors);
    errors.extend(data::conflicts(&pack.data, symbols.places()));
    for (rule, place) in question.rules() {
        errors.extend(check_question(rule, place, pack, &symbols));
    }
    errors.sort_by(|a, b| (&a.location, &a.message).cmp(&(&b.location, &b.message)));
    errors.dedup();
    LoadErrors::check(errors)?;
    Ok(look(&symbols))
}

/// Scans and parses every file.
fn parse(sources: &[Source]) -> Result<Vec<Module>, LoadErrors> {
    let mut errors = Vec::new();
    let mut modules = Vec::new();
    let total: usize = sources.iter().map(|source| source.text.len()).sum();
    if total > bounds::SOURCE_BYTES {
        let message = format!("the pack has {total} bytes of Rego, more than {}", bounds::SOURCE_BYTES);
        return Err(LoadError::new(LoadErrorKind::Bounds, message).into());
    }
    for source in sources {
        match scan::scan(source).and_then(|()| parse_file(source)) {
            Ok(module) => modules.push(module),
            Err(error) => errors.push(error),
        }
    }
    LoadErrors::check(errors)?;
    Ok(modules)
}

fn parse_file(source: &Source) -> Result<Module, LoadError> {
    let syntax = |text: String| {
        Report::read(&text).located(std::slice::from_ref(source)).load_error(LoadErrorKind::Syntax)
    };
    let text = regorus::Source::from_contents(source.name.clone(), source.text.clone());
    let text = text.map_err(|error| syntax(error.to_string()))?;
    let mut parser = Parser::new(&text).map_err(|error| syntax(error.to_string()))?;
    parser.set_max_col(bounds::LINE_COLUMNS);
    parser.enable_rego_v1().map_err(|error| syntax(error.to_string()))?;
    parser.parse().map_err(|error| syntax(error.to_string()))
}

fn check_question(
    rule: &RulePath,
    place: &[&str],
    pack: &PackSource,
    symbols: &Symbols<'_>,
) -> Option<LoadError> {
    let name = rule.join("/");
    let error = |message: String| pack.manifest_error(LoadErrorKind::Invalid, place, message);
    match symbols.rule(rule) {
        Some(found) if found.arity.is_some() => Some(error(format!("`{name}` is a function"))),
        Some(_) => None,
        None if symbols.is_package(rule) => {
            Some(error(format!("`{name}` is a package")).help("name the rule in it that decides"))
        }
        None if symbols.below(rule).next().is_some() => {
            let help = "write the decision as one object: its members cannot be rules of their own";
            Some(error(format!("`{name}` is no rule, only the beginning of the names of some")).help(help))
        }
        None => {
            let known: Vec<String> = symbols.values().map(|path| path.join("/")).collect();
            Some(with_nearest(error(format!("there is no rule `{name}`")), &name, &known))
        }
    }
}
