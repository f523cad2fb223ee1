//! A pack loaded on the engine that its deployment names.

use std::sync::Arc;

use serde_json::Value;

use super::ask::{Answer, ask};
use crate::config::{PackEntry, When};
use crate::contract::{PackIdentity, Token};
use crate::derive::{DerivePlan, PackData};
use crate::engine::{
    Capability, Engine, LoadContext, LoadError, LoadErrorKind, LoadErrors, Prepared, Registry, Verdict,
};
use crate::fault::Fault;
use crate::pack::{PackSource, TokenMode};

/// A pack on its engine, with the requests it claims and the engines that shadow it. Immutable; swapped whole.
#[derive(Debug)]
pub struct LoadedPack {
    identity: Arc<PackIdentity>,
    source: Arc<PackSource>,
    data: Arc<Value>,
    derive: DerivePlan,
    when: When,
    engine: Arc<dyn Engine>,
    shadows: Vec<Shadow>,
}

#[derive(Debug)]
struct Shadow {
    id: &'static str,
    engine: Arc<dyn Engine>,
}

impl LoadedPack {
    /// Loads a pack as a deployment's entry says.
    ///
    /// # Errors
    /// Everything wrong with the pack on that engine. A configured fallback stands in only for an engine that is not
    /// there at all, never for one that refused the pack.
    pub fn load(
        source: Arc<PackSource>,
        entry: &PackEntry,
        context: &LoadContext,
        registry: &Registry,
    ) -> Result<Self, LoadErrors> {
        let when = When::compile(&entry.when)
            .map_err(|error| LoadError::new(LoadErrorKind::Invalid, error.to_string()))?;
        let context = LoadContext {
            limits: context.limits.tightest(entry.limits).tightest(source.manifest.limits),
            ..context.clone()
        };
        let (id, loaded, fallback_from) = match load_on(&source, &entry.engine, &context, registry) {
            Ok(loaded) => (&entry.engine, loaded, None),
            Err(errors) => match &entry.fallback {
                Some(fallback) if errors.is_absence() => {
                    (fallback, load_on(&source, fallback, &context, registry)?, Some(entry.engine.clone()))
                }
                _ => return Err(errors),
            },
        };
        let shadows = entry.shadow.iter().map(|name| {
            let loaded = load_on(&source, name, &context, registry)?;
            Ok(Shadow { id: loaded.id, engine: loaded.engine })
        });
        let shadows = shadows.collect::<Result<_, LoadErrors>>()?;
        let manifest = &source.manifest;
        let identity = PackIdentity {
            pack: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: source.digest.clone(),
            data_digest: None,
            provenance_id: manifest.provenance_id.clone(),
            engine: id.clone(),
            engine_version: loaded.version,
            fallback_from,
        };
        Ok(Self {
            identity: Arc::new(identity),
            data: source.data.clone(),
            derive: source.derive.clone(),
            source,
            when,
            engine: loaded.engine,
            shadows,
        })
    }

    /// The same pack over other data, which has been checked by [`PackSource::read_data`].
    ///
    /// # Errors
    /// Why an engine or a function of `derive:` cannot use the data. This pack stays as it is.
    pub fn with_data(&self, data: Arc<Value>) -> Result<Self, LoadErrors> {
        let identity =
            PackIdentity { data_digest: Some(PackSource::data_digest(&data)), ..(*self.identity).clone() };
        let shadows = self
            .shadows
            .iter()
            .map(|shadow| Ok(Shadow { id: shadow.id, engine: shadow.engine.with_data(data.clone())? }));
        Ok(Self {
            identity: Arc::new(identity),
            source: self.source.clone(),
            derive: self.source.derive_over(PackData::from(&*data))?,
            data: data.clone(),
            when: self.when.clone(),
            shadows: shadows.collect::<Result<_, LoadErrors>>()?,
            engine: self.engine.with_data(data)?,
        })
    }

    /// Which pack, on which engine.
    pub fn identity(&self) -> &Arc<PackIdentity> {
        &self.identity
    }

    /// The pack as it was read.
    pub fn source(&self) -> &Arc<PackSource> {
        &self.source
    }

    /// The data in force: the pack's own, or what has taken its place.
    pub fn data(&self) -> &Arc<Value> {
        &self.data
    }

    /// Which requests the pack claims.
    pub fn when(&self) -> &When {
        &self.when
    }

    /// The engine that decides.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// Checks a payload against the pack's schema and derives its members: what every engine of the pack then sees.
    ///
    /// # Errors
    /// Fault `schema` or `derive`.
    pub fn prepare<'p>(
        &self,
        payload: &'p Value,
        now: jiff::Timestamp,
    ) -> Result<std::borrow::Cow<'p, Value>, Fault> {
        super::ask::prepare(&self.source, &self.derive, payload, now)
    }

    /// The request as the pack's engine sees it; a token only where the pack looks at tokens.
    ///
    /// # Errors
    /// Fault `token:missing` where the pack requires one.
    pub fn view<'p>(
        &'p self,
        prepared: &'p Value,
        now: jiff::Timestamp,
        token: Option<&'p Token>,
    ) -> Result<Prepared<'p>, Fault> {
        super::ask::view(&self.source, prepared, now, token)
    }

    /// What the engine decides of a prepared request, held to the contract as dispatch holds it: `payload` is the request
    /// before anything was derived, `view` what [`LoadedPack::view`] made of it. One question and no rounds: to a fault,
    /// and to a decision other than `redact`, dispatch adds nothing.
    ///
    /// # Errors
    /// The fault for which the request is denied.
    pub fn decide(&self, payload: &Value, view: &Prepared<'_>) -> Result<Verdict, Fault> {
        self.answer(payload, view).verdict
    }

    pub(super) fn answer(&self, payload: &Value, view: &Prepared<'_>) -> Answer {
        ask(self.engine.as_ref(), &self.source, payload, view)
    }

    pub(super) fn shadow_answers(
        &self,
        payload: &Value,
        view: &Prepared<'_>,
    ) -> impl Iterator<Item = (&'static str, Answer)> {
        self.shadows
            .iter()
            .map(|shadow| (shadow.id, ask(shadow.engine.as_ref(), &self.source, payload, view)))
    }
}

/// An engine with a pack, and what to call it.
struct OnEngine {
    id: &'static str,
    version: String,
    engine: Arc<dyn Engine>,
}

fn load_on(
    source: &Arc<PackSource>,
    id: &str,
    context: &LoadContext,
    registry: &Registry,
) -> Result<OnEngine, LoadErrors> {
    let Some(factory) = registry.get(id) else {
        let error = LoadError::new(
            LoadErrorKind::EngineAbsent,
            format!("the engine `{id}` is not built into this program"),
        );
        return Err(error.into());
    };
    if !source.manifest.engines.contains_key(id) {
        return Err(source.not_offered(id).into());
    }
    if source.manifest.token == TokenMode::Required && !factory.capabilities().has(Capability::Tokens) {
        let error = source.manifest_error(
            LoadErrorKind::Unsupported,
            &["token"],
            format!("the pack requires a token, and `{id}` has none"),
        );
        return Err(error.into());
    }
    let info = factory.info();
    // A broken policy must not take the host down with it, whatever a parser does.
    let loaded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| factory.load(source, context)));
    let engine = loaded.map_err(|_| {
        LoadError::new(LoadErrorKind::Invalid, format!("`{id}` panicked while loading the pack"))
    })??;
    Ok(OnEngine { id: info.id, version: info.version, engine })
}
