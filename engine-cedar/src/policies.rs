//! `*.cedar`: read, validated, and split into the policies that must allow and those that soften.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Entities, Policy, PolicyId, PolicySet, Schema, ValidationMode, ValidationWarning, Validator,
};
use cedar_policy_core::ast::EntityUID;
use tribunal_engine_core::engine::{LoadError, LoadErrorKind};
use tribunal_engine_core::location::Location;
use tribunal_engine_core::pack::PackSource;

use crate::annotations::{self, Kind, Reason};
use crate::bounds;
use crate::entities::looked_into;
use crate::error::located;
use crate::index::PolicyIndex;
use crate::nesting::{self, Language};

/// A pack's policies.
#[derive(Debug)]
pub(crate) struct Policies {
    /// Permits and plain forbids: they must allow.
    pub(crate) hard: RuleSet,
    /// Forbids that ask for a step-up or a redaction instead.
    pub(crate) soft: RuleSet,
}

/// One of the two sets of a pack's policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Permits and plain forbids: they must allow.
    Hard,
    /// Forbids that ask for a step-up or a redaction instead, asked only if the others allow.
    Soft,
}

/// Policies with what this engine knows of them, at the same positions in both.
#[derive(Debug, Default)]
pub(crate) struct RuleSet {
    pub(crate) index: PolicyIndex,
    pub(crate) rules: Vec<Rule>,
}

/// One policy.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) location: Location,
    pub(crate) kind: Kind,
    pub(crate) reason: Option<Reason>,
    /// The entity literals that its evaluation can look into.
    pub(crate) literals: HashSet<EntityUID>,
}

/// A policy on its way in.
pub(crate) struct Read<'p> {
    pub(crate) policy: Policy,
    pub(crate) rule: Rule,
    /// Its file's path inside the pack, and as the user would name it.
    pub(crate) path: &'p str,
    file: String,
    /// The whole file, and where in it the policy stands.
    pub(crate) text: &'p str,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Read<'_> {
    /// The place of a byte offset inside this policy, found without counting through the file before it.
    pub(crate) fn place(&self, offset: usize) -> Location {
        let within = self.text.get(self.start..offset).map_or("", |within| within);
        let Location { file, line, column } = self.rule.location.clone();
        match within.rsplit_once('\n') {
            None => Location::new(file, line, column + within.chars().count()),
            Some((before, last)) => {
                Location::new(file, line + before.matches('\n').count() + 1, last.chars().count() + 1)
            }
        }
    }
}

/// Reads every policy file. Without a schema, which is an error of its own, there is nothing to validate against.
pub(crate) fn read(pack: &PackSource, schema: Option<&Schema>) -> Result<Option<Policies>, Vec<LoadError>> {
    let mut errors = Vec::new();
    let found = parse(pack, &mut errors);
    // The validator descends into what it is given, so it is given nothing that is out of bounds.
    if let Some(schema) = schema
        && errors.iter().all(|error| error.kind != LoadErrorKind::Bounds)
    {
        validate(&found, schema, &mut errors);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let Some(schema) = schema else { return Ok(None) };
    let actions = schema
        .action_entities()
        .map_err(|error| vec![LoadError::new(LoadErrorKind::Invalid, error.to_string())])?;
    let (hard, soft) =
        found.into_iter().partition(|read| matches!(read.rule.kind, Kind::Permit | Kind::Forbid));
    Ok(Some(Policies { hard: RuleSet::new(hard, &actions)?, soft: RuleSet::new(soft, &actions)? }))
}

/// The policies of every file, in the order of the files' names and their texts; validated they are not.
pub(crate) fn parse<'p>(pack: &'p PackSource, errors: &mut Vec<LoadError>) -> Vec<Read<'p>> {
    let mut found = Vec::new();
    let mut bytes = 0;
    let mut files = 0;
    for (path, content) in pack.files.with_extension("cedar") {
        files += 1;
        bytes += content.len();
        if bytes > bounds::TEXT {
            let message = format!("the policies have more than {} bytes", bounds::TEXT);
            errors.push(LoadError::new(LoadErrorKind::Bounds, message).at(Location::new(
                pack.file_name(path),
                1,
                1,
            )));
            break;
        }
        match pack.text(path) {
            Ok(text) => read_file(pack, path, text, &mut found, errors),
            Err(error) => errors.push(error),
        }
    }
    if files == 0 {
        errors.push(LoadError::new(
            LoadErrorKind::MissingFile,
            format!("`{}` is missing", pack.file_name("policy.cedar")),
        ));
    }
    if found.len() > bounds::POLICIES {
        let message = format!("the pack has {} policies, more than {}", found.len(), bounds::POLICIES);
        errors.push(LoadError::new(LoadErrorKind::Bounds, message));
    }
    refuse_duplicates(&found, errors);
    found
}

fn read_file<'p>(
    pack: &'p PackSource,
    path: &'p str,
    text: &'p str,
    found: &mut Vec<Read<'p>>,
    errors: &mut Vec<LoadError>,
) {
    let file = pack.file_name(path);
    let place = |offset: usize, kind: LoadErrorKind, message: String| {
        LoadError::new(kind, message).at(Location::of_offset(&file, text, offset))
    };
    if let Err(deep) = nesting::check(text, Language::Policies) {
        errors.push(place(deep.offset, LoadErrorKind::Bounds, deep.message));
        return;
    }
    let set = match text.parse::<PolicySet>() {
        Ok(set) => set,
        Err(parse) => {
            errors.extend(parse.iter().map(|error| located(LoadErrorKind::Syntax, error, &file, text, 0)));
            return;
        }
    };
    for template in set.templates() {
        let start = template.as_ref().loc().map_or(0, |loc| loc.start());
        let message =
            "a template (`?principal`, `?resource`) needs links, which a pack cannot give".to_owned();
        errors.push(place(start, LoadErrorKind::Unsupported, message));
    }
    let span =
        |policy: &Policy| policy.as_ref().loc().map_or((0, text.len()), |loc| (loc.start(), loc.end()));
    let mut policies: Vec<((usize, usize), &Policy)> =
        set.policies().map(|policy| (span(policy), policy)).collect();
    policies.sort_by_key(|(span, _)| *span);
    for ((start, end), policy) in policies {
        let annotations = annotations::read(policy.as_ref(), &pack.manifest.redactable, &place, errors);
        let id = annotations.id.unwrap_or_else(|| format!("policy{}", found.len()));
        let condition = policy.as_ref().condition();
        if let Some(message) = bounds::exceeded(&condition) {
            errors.push(
                place(start, LoadErrorKind::Bounds, message)
                    .help("keep long lists in entities.json or data.json"),
            );
        }
        let location = Location::of_offset(&file, text, start);
        let rule = Rule {
            id,
            location,
            kind: annotations.kind,
            reason: annotations.reason,
            literals: looked_into(&condition),
        };
        found.push(Read {
            policy: policy.new_id(PolicyId::new(&rule.id)),
            rule,
            path,
            file: file.clone(),
            text,
            start,
            end,
        });
    }
}

fn refuse_duplicates(found: &[Read<'_>], errors: &mut Vec<LoadError>) {
    let mut first: HashMap<&str, &Location> = HashMap::new();
    for Read { rule, .. } in found {
        match first.get(rule.id.as_str()) {
            None => {
                first.insert(&rule.id, &rule.location);
            }
            Some(other) => {
                let message = format!("the policy id `{}` is taken by the policy at {other}", rule.id);
                errors.push(LoadError::new(LoadErrorKind::Invalid, message).at(rule.location.clone()));
            }
        }
    }
}

fn validate(found: &[Read<'_>], schema: &Schema, errors: &mut Vec<LoadError>) {
    let mut set = PolicySet::new();
    let mut by_id: HashMap<&PolicyId, &Read<'_>> = HashMap::new();
    for read in found {
        // A duplicate has been reported; only the first is validated.
        if by_id.insert(read.policy.id(), read).is_none()
            && let Err(error) = set.add(read.policy.clone())
        {
            errors.push(
                LoadError::new(LoadErrorKind::Invalid, error.to_string()).at(read.rule.location.clone()),
            );
        }
    }
    let result = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    let mut report = |id: &PolicyId, diagnostic: &dyn miette::Diagnostic| {
        errors.push(match by_id.get(id) {
            Some(read) => located(LoadErrorKind::Invalid, diagnostic, &read.file, read.text, read.start),
            None => LoadError::new(LoadErrorKind::Invalid, diagnostic.to_string()),
        });
    };
    for error in result.validation_errors() {
        report(error.policy_id(), error);
    }
    for warning in result.validation_warnings().filter(|warning| is_refused(warning)) {
        report(warning.policy_id(), warning);
    }
}

/// A list of phrases in several scripts is what a guardrail may well hold; the other warnings mean that the text does not
/// say what it seems to.
fn is_refused(warning: &ValidationWarning) -> bool {
    !matches!(warning, ValidationWarning::MixedScriptString(_))
}

/// Whether a policy by itself passes validation as a pack's policies must.
pub(crate) fn is_valid(policy: Policy, validator: &Validator) -> bool {
    let mut set = PolicySet::new();
    if set.add(policy).is_err() {
        return false;
    }
    let result = validator.validate(&set, ValidationMode::Strict);
    result.validation_errors().next().is_none() && !result.validation_warnings().any(is_refused)
}

impl Policies {
    pub(crate) fn set(&self, which: Which) -> &RuleSet {
        match which {
            Which::Hard => &self.hard,
            Which::Soft => &self.soft,
        }
    }
}

impl RuleSet {
    fn new(found: Vec<Read<'_>>, actions: &Entities) -> Result<Self, Vec<LoadError>> {
        let mut set = PolicySet::new();
        let mut rules = HashMap::new();
        for Read { policy, rule, .. } in found {
            let id = policy.id().clone();
            set.add(policy)
                .map_err(|error| vec![LoadError::new(LoadErrorKind::Invalid, error.to_string())])?;
            rules.insert(id, rule);
        }
        let index = PolicyIndex::new(&set, actions);
        // The index has the set's order.
        let rules = set.policies().filter_map(|policy| rules.remove(policy.id())).collect();
        Ok(Self { index, rules })
    }

    pub(crate) fn get(&self, position: usize) -> Option<&Rule> {
        self.rules.get(position)
    }
}
