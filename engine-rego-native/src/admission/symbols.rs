//! The packages, rules, functions and imports of a pack.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{Expr, Module, Rule, RuleHead, Span};
use tribunal_engine_core::engine::{LoadError, LoadErrorKind, LoadErrors};
use tribunal_engine_core::location::Location;

use super::RulePlace;
use super::expression::{Step, reference};
use crate::settings::RulePath;

/// Every name of a pack that other rules can use.
pub(crate) struct Symbols<'m> {
    modules: Vec<ModuleSymbols<'m>>,
    rules: BTreeMap<RulePath, RuleSymbol>,
    places: Vec<RulePlace>,
    packages: BTreeSet<RulePath>,
}

/// One file.
pub(crate) struct ModuleSymbols<'m> {
    pub(crate) module: &'m Module,
    pub(crate) package: RulePath,
    pub(crate) imports: BTreeMap<&'m str, Import>,
    /// Whether `not` over undefined operands is true to OPA too, as it is to regorus.
    pub(crate) modern_not: bool,
}

/// What an import's name stands for.
pub(crate) enum Import {
    /// A path of data or rules.
    Data(RulePath),
    /// A member of the request.
    Input(RulePath),
}

/// All rules of one path.
pub(crate) struct RuleSymbol {
    /// How many arguments, if it is a function.
    pub(crate) arity: Option<usize>,
    /// Whether it has a value whatever the request is.
    pub(crate) always_defined: bool,
}

impl<'m> Symbols<'m> {
    pub(crate) fn of(modules: &'m [Module]) -> Result<Self, LoadErrors> {
        let mut symbols = Symbols {
            modules: Vec::new(),
            rules: BTreeMap::new(),
            places: Vec::new(),
            packages: BTreeSet::new(),
        };
        let mut errors = Vec::new();
        for module in modules {
            let package = static_path(&module.package.refr).0;
            for rule in &module.policy {
                symbols.add(&package, rule);
            }
            let (imports, modern_not) = imports(module, &mut errors);
            if module.target.is_some() {
                let message = "`__target__` is no part of Rego";
                errors.push(
                    LoadError::new(LoadErrorKind::Unsupported, message).at(place(&module.package.span)),
                );
            }
            symbols.packages.insert(package.clone());
            symbols.modules.push(ModuleSymbols { module, package, imports, modern_not });
        }
        LoadErrors::check(errors)?;
        Ok(symbols)
    }

    fn add(&mut self, package: &RulePath, rule: &Rule) {
        let (name, _) = static_path(head(rule));
        let path: RulePath = package.iter().cloned().chain(name).collect();
        let span = rule.span();
        let last_line = span.line + u32::try_from(span.text().matches('\n').count()).unwrap_or(0);
        self.places.push(RulePlace {
            path: path.clone(),
            place: place(span),
            first_line: span.line,
            last_line,
        });
        let (arity, always_defined) = match rule {
            Rule::Default { args, .. } => ((!args.is_empty()).then_some(args.len()), args.is_empty()),
            Rule::Spec { head: RuleHead::Func { args, .. }, .. } => (Some(args.len()), false),
            Rule::Spec { head: RuleHead::Set { .. }, .. } => (None, true),
            Rule::Spec { head: RuleHead::Compr { assign, .. }, bodies, .. } => {
                let constant = assign.as_ref().is_some_and(|assign| is_constant(&assign.value));
                (None, constant && bodies.is_empty())
            }
        };
        let symbol = self.rules.entry(path).or_insert(RuleSymbol { arity, always_defined });
        symbol.arity = symbol.arity.or(arity);
        symbol.always_defined = (symbol.always_defined || always_defined) && symbol.arity.is_none();
    }

    pub(crate) fn modules(&self) -> &[ModuleSymbols<'m>] {
        &self.modules
    }

    pub(crate) fn rule(&self, path: &[String]) -> Option<&RuleSymbol> {
        self.rules.get(path)
    }

    /// The rules whose paths begin with this one, itself included.
    pub(crate) fn below(&self, path: &[String]) -> impl Iterator<Item = &RulePath> {
        let path = path.to_vec();
        let from = path.clone();
        self.rules.range(from..).map(|(rule, _)| rule).take_while(move |rule| rule.starts_with(&path))
    }

    /// The paths of rules that are no functions.
    pub(crate) fn values(&self) -> impl Iterator<Item = &RulePath> {
        self.rules.iter().filter(|(_, rule)| rule.arity.is_none()).map(|(path, _)| path)
    }

    /// The paths of functions.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &RulePath> {
        self.rules.iter().filter(|(_, rule)| rule.arity.is_some()).map(|(path, _)| path)
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &RulePath> {
        self.rules.keys()
    }

    pub(crate) fn is_package(&self, path: &[String]) -> bool {
        self.packages.contains(path)
    }

    /// Whether rules are named below this path, and it is neither a rule nor on the way to a package.
    pub(crate) fn is_beginning(&self, path: &[String]) -> bool {
        let leads_to_package = || self.packages.iter().any(|package| package.starts_with(path));
        self.rule(path).is_none() && self.below(path).next().is_some() && !leads_to_package()
    }

    pub(crate) fn places(&self) -> &[RulePlace] {
        &self.places
    }
}

/// The reference in a rule's head.
pub(crate) fn head(rule: &Rule) -> &Expr {
    match rule {
        Rule::Spec {
            head: RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. } | RuleHead::Func { refr, .. },
            ..
        }
        | Rule::Default { refr, .. } => refr,
    }
}

/// Where something stands.
pub(crate) fn place(span: &Span) -> Location {
    Location::of_offset(span.source.file(), span.source.contents(), span.start as usize)
}

/// The names a reference begins with, and whether there is more behind them.
fn static_path(expr: &Expr) -> (RulePath, bool) {
    let reference = reference(expr);
    let mut path = Vec::new();
    if let Expr::Var { span, .. } = reference.base {
        path.push(span.text().to_owned());
    }
    for step in &reference.steps {
        match step {
            Step::Name(name) => path.push((*name).to_owned()),
            Step::Index(_) => return (path, true),
        }
    }
    (path, false)
}

fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. } => true,
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().all(|item| is_constant(item)),
        Expr::Object { fields, .. } => {
            fields.iter().all(|(_, key, value)| is_constant(key) && is_constant(value))
        }
        _ => false,
    }
}

fn imports<'m>(module: &'m Module, errors: &mut Vec<LoadError>) -> (BTreeMap<&'m str, Import>, bool) {
    let mut imports = BTreeMap::new();
    let mut modern_not = false;
    for import in &module.imports {
        let (path, _) = static_path(&import.refr);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let target = match path.as_slice() {
            ["rego", "v1"]
            | ["future", "keywords"]
            | ["future", "keywords", "in" | "every" | "if" | "contains"] => continue,
            ["rego", "v2"] | ["future", "keywords", "not"] => {
                modern_not = true;
                continue;
            }
            ["input"] if import.r#as.is_none() => {
                let message = "`import input` does nothing";
                errors.push(
                    LoadError::new(LoadErrorKind::Invalid, message).at(place(&import.span)).help("remove it"),
                );
                continue;
            }
            ["input", path @ ..] => Import::Input(path.iter().map(|step| (*step).to_owned()).collect()),
            ["data", path @ ..] => Import::Data(path.iter().map(|step| (*step).to_owned()).collect()),
            _ => {
                let message = format!("regorus does not know `import {}`", path.join("."));
                errors.push(LoadError::new(LoadErrorKind::Unsupported, message).at(place(&import.span)));
                continue;
            }
        };
        let name = match (&import.r#as, reference(&import.refr).steps.last()) {
            (Some(alias), _) => alias.text(),
            (None, Some(Step::Name(name))) => name,
            (None, _) => continue,
        };
        imports.insert(name, target);
    }
    (imports, modern_not)
}

/// A rule's path as regorus writes it: `data.a.b`, and names that are no identifiers in brackets.
pub(crate) fn regorus_path(path: &[String]) -> String {
    let mut text = "data".to_owned();
    for step in path {
        let mut bytes = step.bytes();
        let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if starts && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            text.push('.');
            text.push_str(step);
        } else {
            text.push_str(&format!("[{}]", serde_json::Value::String(step.clone())));
        }
    }
    text
}
