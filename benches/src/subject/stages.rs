//! Our engines, stage by stage: what dispatch does, called one after another through the same public functions, and the
//! engine's own stages as it tells of them.

use std::sync::Arc;

use tribunal::core::dispatch::LoadedPack;
use tribunal::core::engine::{LoadContext, Prepared, Verdict};
use tribunal::{DecisionEffect, Fault, FaultKind, PolicyRequest};

use super::{Answer, Request, Staged, Unavailable};

/// The stages before the engine, in their order.
pub(super) const BEFORE: [&str; 4] = ["read and bound", "claim", "schema", "derive"];

/// Whoever is told of the end of each stage.
type Lap<'l> = &'l mut dyn FnMut(&'static str);

/// An engine's own stages.
type Inside<'s> = Box<dyn FnMut(&Prepared<'_>, Lap<'_>) -> Result<Verdict, Fault> + 's>;

struct Stages<'s> {
    pack: &'s LoadedPack,
    inside: Inside<'s>,
}

/// The stages of a pack on its engine, under the limits of the context.
pub(super) fn of<'s>(
    pack: &'s Arc<LoadedPack>,
    context: &LoadContext,
) -> Result<Box<dyn Staged + 's>, Unavailable> {
    let source = pack.source();
    let inside: Inside<'s> = match pack.identity().engine.as_str() {
        #[cfg(feature = "wasm")]
        "rego-wasm" => {
            let bare = tribunal::wasm::bare::Bare::load(source, context)?;
            let mut warm = bare.start()?;
            Box::new(move |view, lap| {
                let verdict = warm.stages(view, lap);
                if verdict.is_err() {
                    // In service, too, the next decision is made by another instance.
                    warm = bare.start()?;
                }
                verdict
            })
        }
        #[cfg(feature = "rego-native")]
        "rego-native" => {
            let mut bare = tribunal::rego_native::bare::Bare::load(source, context)?;
            Box::new(move |view, lap| bare.stages(view, lap))
        }
        #[cfg(feature = "cedar")]
        "cedar" => {
            let bare = tribunal::cedar::bare::Bare::load(source, context)?;
            Box::new(move |view, lap| bare.stages(view, lap))
        }
        #[cfg(feature = "biscuit")]
        "biscuit" => {
            let bare = tribunal::biscuit::bare::Bare::load(source, context)?;
            Box::new(move |view, lap| bare.stages(view, lap))
        }
        // An engine of others is one stage.
        _ => Box::new(move |view, lap| {
            let verdict = pack.engine().decide(view);
            lap("engine");
            verdict
        }),
    };
    Ok(Box::new(Stages { pack, inside }))
}

impl Staged for Stages<'_> {
    fn decide(&mut self, request: &Request, lap: Lap<'_>) -> Answer {
        Answer::proposed(self.effect(request, lap).as_ref().copied())
    }
}

impl Stages<'_> {
    fn effect(&mut self, request: &Request, lap: Lap<'_>) -> Result<DecisionEffect, Fault> {
        let [read, claim, schema, derive] = BEFORE;
        let asked = PolicyRequest::from_slice(&request.text)?;
        let payload = asked.payload()?;
        lap(read);
        std::hint::black_box(self.pack.when().claims(payload));
        lap(claim);
        let source = self.pack.source();
        if let Some(violation) = source.input_schema.as_ref().and_then(|schema| schema.violation(payload)) {
            return Err(Fault::new(FaultKind::Schema, violation));
        }
        lap(schema);
        let prepared = source.derive.apply(payload, request.now)?;
        lap(derive);
        let view = self.pack.view(&prepared, request.now, request.token.as_ref())?;
        Ok((self.inside)(&view, lap)?.decision.effect)
    }
}
