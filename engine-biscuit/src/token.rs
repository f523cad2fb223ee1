//! Tokens: whom to believe, and what has been believed already.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, PAD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use biscuit_auth::error::Format;
use biscuit_auth::{Biscuit, PublicKey};
use sha2::{Digest, Sha256};
use tribunal_engine_core::contract::Token;
use tribunal_engine_core::engine::{LoadError, LoadErrorKind, LoadErrors, Trust};
use tribunal_engine_core::fault::{Fault, TokenFault};

use crate::bounds::Work;
use crate::credential::{self, MAX_TOKEN};
use crate::error::{token, verification};

/// Verified tokens that are kept. Verifying one costs ten times what a decision does.
const CACHED: usize = 128;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::with_decode_padding_mode(PAD, DecodePaddingMode::Indifferent),
);

/// A token that has been verified, and what its content can cause together with the pack's.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) biscuit: Biscuit,
    /// Facts in its blocks.
    pub(crate) facts: u64,
    /// The predicates its blocks read.
    pub(crate) reads: BTreeSet<String>,
    /// The work of the pack and the token.
    pub(crate) work: Work,
}

/// Root keys and revocations, checked, and the tokens they have let in.
#[derive(Debug)]
pub(crate) struct Gate {
    keys: HashMap<Option<u32>, PublicKey>,
    revoked: BTreeSet<Vec<u8>>,
    verified: Mutex<Cache>,
}

/// The tokens let in last. Nothing a token depends on changes while a pack is loaded: its signatures, the root keys and the
/// revocation list are fixed, and its checks are evaluated anew for each request.
#[derive(Debug, Default)]
struct Cache {
    entries: HashMap<[u8; 32], Arc<Verified>>,
    order: VecDeque<[u8; 32]>,
}

impl Gate {
    /// Reads keys and revocations.
    ///
    /// # Errors
    /// Each key that is none, each id that stands twice, each revocation that is not hex.
    pub(crate) fn new(trust: &Trust) -> Result<Self, LoadErrors> {
        let mut errors = Vec::new();
        let mut keys = HashMap::new();
        for root in &trust.root_keys {
            let invalid =
                |what: &str| LoadError::new(LoadErrorKind::Invalid, format!("{}: {what}", root.origin));
            match public_key(&root.key) {
                Some(key) if keys.insert(root.id, key).is_none() => {}
                Some(_) => errors.push(invalid("another root key has the same id")),
                None => errors.push(
                    invalid("not a public key")
                        .help("write one as PEM, `ed25519/<hex>` or `secp256r1/<hex>`"),
                ),
            }
        }
        let mut revoked = BTreeSet::new();
        for id in &trust.revoked {
            match hex::decode(id) {
                Ok(id) => {
                    revoked.insert(normalised(&id));
                }
                Err(_) => errors
                    .push(LoadError::new(LoadErrorKind::Invalid, format!("revocation `{id}` is not in hex"))),
            }
        }
        LoadErrors::check(errors)?;
        Ok(Self { keys, revoked, verified: Mutex::default() })
    }

    /// Lets a token in: decoded, bounded, its signatures checked, not revoked, its content admitted. `work` gives the work
    /// of its content together with the pack's.
    ///
    /// # Errors
    /// One of the `token:…` faults.
    pub(crate) fn admit(
        &self,
        shown: &Token,
        work: impl FnOnce(&credential::Content) -> Result<Work, Fault>,
    ) -> Result<Arc<Verified>, Fault> {
        let bytes = raw(shown)?;
        let key: [u8; 32] = Sha256::digest(&bytes).into();
        if let Some(verified) = self.cache().entries.get(&key) {
            return Ok(Arc::clone(verified));
        }
        let blocks = credential::decode(&bytes)?;
        let biscuit = verify(&bytes, &self.keys)?;
        if biscuit.revocation_identifiers().iter().any(|id| self.revoked.contains(&normalised(id))) {
            return Err(token(TokenFault::Revoked, "a block of the token is revoked"));
        }
        let content = credential::inspect(&blocks)?;
        let work = work(&content)?;
        let verified =
            Arc::new(Verified { biscuit, facts: content.workload.fact_count(), reads: content.reads, work });
        self.cache().keep(key, Arc::clone(&verified));
        Ok(verified)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        // A map of tokens let in holds nothing half done, whatever panicked beside it.
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn keep(&mut self, key: [u8; 32], verified: Arc<Verified>) {
        if self.entries.insert(key, verified).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > CACHED {
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
    }
}

/// Checks a token's signatures, from its root key to its last block.
///
/// # Errors
/// `token:unknown_root_key`, `token:bad_signature`, `token:unsupported_version`, `token:malformed`.
pub(crate) fn verify(bytes: &[u8], keys: &HashMap<Option<u32>, PublicKey>) -> Result<Biscuit, Fault> {
    let root = |id: Option<u32>| keys.get(&id).copied().ok_or(Format::UnknownPublicKey);
    Biscuit::from(bytes, root).map_err(|error| verification(&error))
}

/// The bytes of a token that was shown as URL-safe Base64, padded or not, with or without `biscuit:` before it, or as bytes.
/// A token's first byte is a field tag of the wire format, which is no character of Base64.
pub(crate) fn raw(shown: &Token) -> Result<Vec<u8>, Fault> {
    let bytes = shown.as_bytes();
    // Base64 adds a third; the prefix and white space at the ends are small change.
    if bytes.len() > MAX_TOKEN / 3 * 4 + 64 {
        return Err(token(TokenFault::TooLarge, format!("a token has at most {MAX_TOKEN} bytes")));
    }
    match bytes.first() {
        Some(0x08 | 0x12) => Ok(bytes.to_vec()),
        _ => {
            let text = bytes.trim_ascii();
            let text = text.strip_prefix(b"biscuit:").unwrap_or(text);
            BASE64.decode(text).map_err(|error| token(TokenFault::Malformed, error.to_string()))
        }
    }
}

/// A revocation id in the one form that is compared.
///
/// The id of a block is its signature. A P-256 signature `(r, s)` is as good as `(r, n - s)`, so whoever holds a revoked token
/// could give it a new id; both have the same low `s`. An Ed25519 signature has one form, which stays as it is.
fn normalised(id: &[u8]) -> Vec<u8> {
    match p256::ecdsa::Signature::from_der(id) {
        Ok(signature) => signature.normalize_s().unwrap_or(signature).to_der().as_bytes().to_vec(),
        Err(_) => id.to_vec(),
    }
}

fn public_key(text: &str) -> Option<PublicKey> {
    let text = text.trim();
    if text.starts_with("-----BEGIN") { PublicKey::from_pem(text).ok() } else { text.parse().ok() }
}
