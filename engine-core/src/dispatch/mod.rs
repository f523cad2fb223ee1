//! Dispatch: claim → schema → derive → decide → merge → redact until nobody objects → outcome.
//!
//! - [`loaded`]: a pack on its engine
//! - `ask`: one question to one engine
//! - [`redaction`]: what redactions may change, and how they are made one
//! - `fixpoint`: the rounds of one request

mod ask;
mod fixpoint;
pub mod loaded;
pub mod redaction;

use std::sync::{Arc, Mutex};
use std::time::Instant;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

pub use fixpoint::MAX_ROUNDS;
pub use loaded::LoadedPack;

use crate::config::{Claim, Deployment, OnNoPack};
use crate::contract::decision::NO_PACK_MATCHED;
use crate::contract::{Decision, Outcome, PolicyEngine, PolicyRequest};
use crate::engine::{LoadError, LoadErrorKind, LoadErrors};
use crate::fault::{Fault, FaultKind, fail_closed};
use crate::limits::{RequestBounds, Span};

/// A policy decision point: loaded packs, and the rules by which their decisions become one.
///
/// Packs can be swapped while others evaluate; a request sees one set of packs from beginning to end.
#[derive(Debug)]
pub struct Dispatcher {
    boundaries: Vec<String>,
    on_no_pack: OnNoPack,
    max_stale: Option<Span>,
    bounds: RequestBounds,
    slots: ArcSwap<Vec<Slot>>,
    /// Held while slots are replaced, so that two swaps cannot lose each other.
    swapping: Mutex<()>,
}

/// A pack's place in a deployment.
#[derive(Debug, Clone)]
struct Slot {
    pack: Arc<LoadedPack>,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Current,
    /// A newer version could not be loaded since then.
    Stale(Instant),
    /// Taken out of service; what it claims is denied.
    Unloaded,
}

impl Dispatcher {
    /// A decision point over loaded packs, in the deployment's order.
    pub fn new<P: Into<Arc<LoadedPack>>>(
        deployment: &Deployment,
        packs: impl IntoIterator<Item = P>,
    ) -> Self {
        let slots = packs.into_iter().map(|pack| Slot { pack: pack.into(), state: State::Current }).collect();
        Self {
            boundaries: deployment.boundaries.clone(),
            on_no_pack: deployment.on_no_pack,
            max_stale: deployment.max_stale,
            bounds: RequestBounds::default(),
            slots: ArcSwap::from_pointee(slots),
            swapping: Mutex::new(()),
        }
    }

    /// The packs, in the deployment's order.
    pub fn packs(&self) -> Vec<Arc<LoadedPack>> {
        self.slots.load().iter().map(|slot| slot.pack.clone()).collect()
    }

    /// Decides a request. Cannot fail: whatever goes wrong is a denial that says so.
    pub fn evaluate(&self, request: &PolicyRequest) -> Outcome {
        let started = Instant::now();
        let now = request.now().unwrap_or_else(Timestamp::now);
        let mut outcome = self.decide(request, now).unwrap_or_else(|fault| Outcome {
            decision: fail_closed(&fault),
            fault: Some(fault),
            packs: Vec::new(),
            rounds: 0,
            now,
            duration_ns: 0,
        });
        outcome.duration_ns = ask::nanoseconds(started);
        outcome
    }

    fn decide(&self, request: &PolicyRequest, now: Timestamp) -> Result<Outcome, Fault> {
        let payload = request.bounded_payload(&self.bounds)?;
        let slots = self.slots.load();
        let claimed = self.claimed(&slots, payload)?;
        if claimed.is_empty() {
            let decision = match self.on_no_pack {
                OnNoPack::Deny => Decision::deny(NO_PACK_MATCHED),
                OnNoPack::Allow => Decision::allow(),
            };
            return Ok(Outcome { decision, fault: None, packs: Vec::new(), rounds: 0, now, duration_ns: 0 });
        }
        let claimed_alike = |redacted: &Value| {
            let again = self.claimed(&slots, redacted);
            again.is_ok_and(|again| {
                again.iter().map(|pack| pack.address()).eq(claimed.iter().map(|pack| pack.address()))
            })
        };
        Ok(fixpoint::run(&claimed, payload, now, request.token(), claimed_alike))
    }

    fn claimed<'s>(&self, slots: &'s [Slot], payload: &Value) -> Result<Vec<fixpoint::Claimed<'s>>, Fault> {
        let unclassified = |detail: String| Fault::new(FaultKind::Unclassified, detail);
        match payload.get("boundary") {
            None => {}
            Some(Value::String(name)) if self.boundaries.contains(name) => {}
            Some(_) => {
                return Err(unclassified(
                    "`/boundary` is not one of this deployment's boundaries".to_owned(),
                ));
            }
        }
        let mut claimed = Vec::with_capacity(slots.len());
        for slot in slots {
            match slot.pack.when().claims(payload) {
                Claim::NotMine => {}
                Claim::Mine => claimed.push(self.in_service(slot)),
                Claim::Unclassified(fault) => {
                    return Err(unclassified(format!(
                        "pack `{}`: {}",
                        slot.pack.identity().pack,
                        fault.detail
                    )));
                }
            }
        }
        Ok(claimed)
    }

    fn in_service<'s>(&self, slot: &'s Slot) -> fixpoint::Claimed<'s> {
        let out_of_service = match slot.state {
            State::Current => None,
            State::Unloaded => Some(Fault::new(FaultKind::NotLoaded, "the pack is not loaded")),
            State::Stale(since) => {
                self.max_stale.filter(|longest| since.elapsed() > longest.0).map(|longest| {
                    Fault::new(
                        FaultKind::Stale,
                        format!("no newer version could be loaded for more than {longest}"),
                    )
                })
            }
        };
        fixpoint::Claimed { pack: &slot.pack, stale: matches!(slot.state, State::Stale(_)), out_of_service }
    }

    /// Puts a newly loaded version of a pack in the place of the one of the same name.
    ///
    /// With an error instead of a pack the last good version goes on deciding; its outcomes say `stale`, and after the
    /// deployment's `max_stale` it denies.
    ///
    /// # Errors
    /// The given errors, or that no pack of this name is deployed.
    pub fn reload(&self, name: &str, newer: Result<LoadedPack, LoadErrors>) -> Result<(), LoadErrors> {
        match newer {
            Ok(pack) if pack.identity().pack != name => {
                let message = format!("`{}` cannot stand in for `{name}`", pack.identity().pack);
                self.reload(name, Err(LoadError::new(LoadErrorKind::Invalid, message).into()))
            }
            Ok(pack) => self.change(name, |slot| {
                slot.pack = Arc::new(pack);
                slot.state = State::Current;
            }),
            Err(errors) => {
                self.change(name, |slot| {
                    if matches!(slot.state, State::Current) {
                        slot.state = State::Stale(Instant::now());
                    }
                })?;
                Err(errors)
            }
        }
    }

    /// Puts other data in the place of a pack's own. Bad data changes nothing.
    ///
    /// # Errors
    /// What is wrong with the data, or that no pack of this name is deployed.
    pub fn swap_data(&self, name: &str, file: &str, text: &[u8]) -> Result<(), LoadErrors> {
        loop {
            let pack = self.find(name)?;
            let newer = Arc::new(pack.with_data(pack.source().read_data(file, text)?)?);
            // Whoever reloaded the pack in the meantime must not be undone: the newer version gets the data instead.
            let mut is_current = false;
            self.change(name, |slot| {
                is_current = Arc::ptr_eq(&slot.pack, &pack);
                if is_current {
                    slot.pack = newer;
                }
            })?;
            if is_current {
                return Ok(());
            }
        }
    }

    /// Takes a pack out of service: what it claims is denied until it is reloaded.
    ///
    /// # Errors
    /// That no pack of this name is deployed.
    pub fn unload(&self, name: &str) -> Result<(), LoadErrors> {
        self.change(name, |slot| slot.state = State::Unloaded)
    }

    fn find(&self, name: &str) -> Result<Arc<LoadedPack>, LoadErrors> {
        let slots = self.slots.load();
        let slot = slots.iter().find(|slot| slot.pack.identity().pack == name);
        slot.map(|slot| slot.pack.clone()).ok_or_else(|| no_such_pack(name).into())
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Slot)) -> Result<(), LoadErrors> {
        // A poisoned lock means a panic between load and store; the slots themselves are still whole.
        let _held = self.swapping.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut slots = Vec::clone(&self.slots.load());
        let slot = slots
            .iter_mut()
            .find(|slot| slot.pack.identity().pack == name)
            .ok_or_else(|| no_such_pack(name))?;
        change(slot);
        self.slots.store(Arc::new(slots));
        Ok(())
    }
}

fn no_such_pack(name: &str) -> LoadError {
    LoadError::new(LoadErrorKind::Invalid, format!("no pack `{name}` is deployed"))
}

#[async_trait]
impl PolicyEngine for Dispatcher {
    async fn evaluate(&self, request: &PolicyRequest) -> Decision {
        Dispatcher::evaluate(self, request).decision
    }
}
