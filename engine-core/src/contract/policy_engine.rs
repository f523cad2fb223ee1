//! The trait that callers hold. It is closed: by its type an evaluation cannot fail, so nobody can ignore a failure.

use std::sync::Arc;

use async_trait::async_trait;

use super::decision::Decision;
use super::request::PolicyRequest;
use crate::limits::RequestBounds;

/// Something that decides. Evaluation is CPU-bound and takes microseconds: the future is ready when first polled, and
/// never hops threads.
#[async_trait]
pub trait PolicyEngine: Send + Sync {
    /// The decision. Every fault has already become a denial.
    async fn evaluate(&self, request: &PolicyRequest) -> Decision;
}

/// Allows everything. For tests and for wiring; [`PolicyRequest`]s that cannot be decided are still denied.
#[derive(Debug, Default, Clone, Copy)]
pub struct AllowAllPolicy;

impl AllowAllPolicy {
    /// One to share.
    pub fn shared() -> Arc<dyn PolicyEngine> {
        Arc::new(Self)
    }
}

#[async_trait]
impl PolicyEngine for AllowAllPolicy {
    async fn evaluate(&self, request: &PolicyRequest) -> Decision {
        match request.bounded_payload(&RequestBounds::default()) {
            Ok(_) => Decision::allow(),
            Err(fault) => crate::fault::fail_closed(&fault),
        }
    }
}
