//! `crypto.*`: digests and message authentication, as lower-case hexadecimal.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512};

use crate::builtin::{Builtin, Context, Failure, Outcome, done};
use crate::operand::{operands, string};
use crate::value::Value;

pub(crate) const BUILTINS: &[Builtin] = &[
    Builtin::new("crypto.hmac.equal", 2, equal),
    Builtin::new("crypto.hmac.md5", 2, |_, args| authenticated::<Hmac<Md5>>(args)),
    Builtin::new("crypto.hmac.sha1", 2, |_, args| authenticated::<Hmac<Sha1>>(args)),
    Builtin::new("crypto.hmac.sha256", 2, |_, args| authenticated::<Hmac<Sha256>>(args)),
    Builtin::new("crypto.hmac.sha512", 2, |_, args| authenticated::<Hmac<Sha512>>(args)),
    Builtin::new("crypto.md5", 1, |_, args| digest::<Md5>(args)),
    Builtin::new("crypto.sha1", 1, |_, args| digest::<Sha1>(args)),
    Builtin::new("crypto.sha256", 1, |_, args| digest::<Sha256>(args)),
];

fn digest<D: Digest>(args: &[Value]) -> Outcome {
    let [text] = operands(args)?;
    done(hex::encode(D::digest(string(text, 1)?)))
}

fn authenticated<M: Mac + KeyInit>(args: &[Value]) -> Outcome {
    let [message, key] = operands(args)?;
    let (message, key) = (string(message, 1)?, string(key, 2)?);
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).map_err(|e| Failure::new(e.to_string()))?;
    mac.update(message.as_bytes());
    done(hex::encode(mac.finalize().into_bytes()))
}

/// Compares in a time that depends on the lengths only.
fn equal(_: &Context, args: &[Value]) -> Outcome {
    let [a, b] = operands(args)?;
    let (a, b) = (string(a, 1)?.as_bytes(), string(b, 2)?.as_bytes());
    let difference = a.iter().zip(b).fold(0u8, |seen, (x, y)| seen | (x ^ y));
    done(a.len() == b.len() && std::hint::black_box(difference) == 0)
}
