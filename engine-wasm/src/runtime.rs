//! wasmtime, configured once a process, and the modules it has compiled.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::Duration;

use sha2::{Digest, Sha256};
use wasmtime::{Config, Engine, InstancePre, Linker, Module, ProfilingStrategy, Result};

use crate::cache::{Cache, Key};
use crate::host::{self, Host};
use crate::module::OpaModule;

/// The version of wasmtime in this build; a test holds it to `Cargo.lock`.
pub const WASMTIME_VERSION: &str = "48.0.8";

/// Bytes of native stack an evaluation may use.
pub(crate) const MAX_STACK: usize = 512 << 10;

/// How often the clock behind deadlines ticks.
const TICK: Duration = Duration::from_millis(1);

/// Whether compiled code has its names told to `perf`.
static NAMED: AtomicBool = AtomicBool::new(false);

/// Has wasmtime write the names of a process's compiled functions to `/tmp/perf-PID.map`, where `perf` looks for them. For
/// measurements, before anything is loaded: what is loaded already stays without names. Nothing removes the file.
pub fn name_compiled_code() {
    NAMED.store(true, Ordering::Relaxed);
}

/// An engine of wasmtime with the host's functions.
pub(crate) struct Runtime {
    engine: Engine,
    linker: Linker<Host>,
}

/// Without deadlines: nothing in the code looks at a clock, and nothing ticks.
static UNTIMED: LazyLock<Result<Runtime, String>> = LazyLock::new(|| Runtime::new(false));
/// With deadlines. The thread that ticks is started with it.
static TIMED: LazyLock<Result<Runtime, String>> = LazyLock::new(|| Runtime::new(true));

impl Runtime {
    /// The process's runtime, with or without deadlines.
    ///
    /// # Errors
    /// If the machine cannot run compiled code, or the ticking thread cannot be started.
    pub(crate) fn get(timed: bool) -> Result<&'static Self, String> {
        let runtime = if timed { &*TIMED } else { &*UNTIMED };
        runtime.as_ref().map_err(Clone::clone)
    }

    fn new(timed: bool) -> Result<Self, String> {
        let mut config = Config::new();
        // Only what `module::FEATURES` lets through. Traps are told by their code, so no backtraces.
        config
            .consume_fuel(true)
            .epoch_interruption(timed)
            .max_wasm_stack(MAX_STACK)
            .wasm_backtrace_max_frames(None)
            .generate_address_map(false)
            .wasm_relaxed_simd(false)
            .wasm_simd(false)
            .wasm_tail_call(false)
            .wasm_multi_memory(false)
            .wasm_memory64(false)
            .wasm_extended_const(false);
        if NAMED.load(Ordering::Relaxed) {
            config.profiler(ProfilingStrategy::PerfMap);
        }
        let engine = Engine::new(&config).map_err(|error| format!("{error:#}"))?;
        let linker = host::linker(&engine).map_err(|error| format!("{error:#}"))?;
        if timed {
            start_ticking(engine.clone())?;
        }
        Ok(Self { engine, linker })
    }

    /// Compiles a module, or takes it from this process's or the folder's cache.
    ///
    /// # Errors
    /// If wasmtime refuses the module.
    pub(crate) fn compile(&self, module: &OpaModule, cache: Option<&Path>) -> Result<Arc<Compiled>> {
        let key = self.key(module);
        if let Some(compiled) = loaded().get(&key).and_then(Weak::upgrade) {
            return Ok(compiled);
        }
        // A folder that cannot be trusted is not used; `cache_refusal` tells those who want to say so.
        let cache = cache.and_then(|folder| Cache::open(folder).ok());
        let cached = cache
            .as_ref()
            .and_then(|cache| cache.load(&key))
            .and_then(|artefact| self.deserialise(&artefact));
        let compiled = match cached {
            Some(compiled) => compiled,
            None => {
                let compiled = Module::from_binary(&self.engine, &module.bytes)?;
                if let Some(cache) = &cache {
                    // The folder is a convenience: what cannot be kept is compiled again the next time.
                    drop(cache.store(&key, &compiled.serialize()?));
                }
                compiled
            }
        };
        let compiled = Arc::new(Compiled { instance: self.linker.instantiate_pre(&compiled)? });
        let mut loaded = loaded();
        loaded.retain(|_, compiled| compiled.strong_count() > 0);
        loaded.insert(key, Arc::downgrade(&compiled));
        Ok(compiled)
    }

    /// What compiled code depends on: the module, and wasmtime's version, settings and target.
    fn key(&self, module: &OpaModule) -> Key {
        let mut digest = Sha256Hasher(Sha256::new());
        digest.write(b"tribunal rego-wasm 1\0");
        digest.write(WASMTIME_VERSION.as_bytes());
        digest.write(std::env::consts::ARCH.as_bytes());
        digest.write(std::env::consts::OS.as_bytes());
        self.engine.precompile_compatibility_hash().hash(&mut digest);
        digest.write(&Sha256::digest(&module.bytes));
        digest.0.finalize().into()
    }

    /// Code that this program compiled earlier, or `None` if wasmtime does not want it.
    fn deserialise(&self, artefact: &[u8]) -> Option<Module> {
        #[expect(unsafe_code, reason = "wasmtime cannot check compiled code; the cache does, see below")]
        // SAFETY: `Module::deserialize` runs whatever machine code it is given, so the bytes must be what
        // `Module::serialize` gave. `Cache` only hands out bytes from a file that belongs to this user and that nobody
        // else can write, in a folder of the same kind, whose digest over the key and the bytes is right. Whoever can
        // write such a file runs code as this user already. wasmtime itself refuses another version or other settings.
        let module = unsafe { Module::deserialize(&self.engine, artefact) };
        module.ok()
    }
}

/// A compiled module with its imports resolved.
pub(crate) struct Compiled {
    pub(crate) instance: InstancePre<Host>,
}

impl Compiled {
    /// The engine it was compiled for.
    pub(crate) fn engine(&self) -> &Engine {
        self.instance.module().engine()
    }
}

/// The compiled modules that any loaded pack of this process holds.
fn loaded() -> std::sync::MutexGuard<'static, HashMap<Key, Weak<Compiled>>> {
    static LOADED: LazyLock<Mutex<HashMap<Key, Weak<Compiled>>>> = LazyLock::new(Mutex::default);
    LOADED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start_ticking(engine: Engine) -> Result<(), String> {
    let tick = move || {
        loop {
            std::thread::sleep(TICK);
            engine.increment_epoch();
        }
    };
    let thread = std::thread::Builder::new().name("tribunal-deadlines".to_owned()).spawn(tick);
    thread.map(drop).map_err(|error| format!("the clock for deadlines does not start: {error}"))
}

/// A deadline in ticks. One more than fits, because the first may come at once: a deadline is never early.
pub(crate) fn ticks(deadline: Duration) -> u64 {
    let whole = deadline.as_nanos().div_ceil(TICK.as_nanos());
    u64::try_from(whole).map_or(u64::MAX >> 1, |ticks| ticks.min(u64::MAX >> 1)).saturating_add(1)
}

/// SHA-256 for what only knows how to hash itself.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        // Not asked for: the whole digest is taken instead.
        let digest: [u8; 32] = self.0.clone().finalize().into();
        digest.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_is_locked() {
        let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock")).unwrap();
        let locked = format!("name = \"wasmtime\"\nversion = \"{WASMTIME_VERSION}\"\n");
        assert!(lock.contains(&locked), "WASMTIME_VERSION is not what Cargo.lock has");
    }

    #[test]
    fn deadlines_are_never_early() {
        for (deadline, wanted) in [(1, 2), (1_000, 2), (1_001, 3), (50_000, 51)] {
            assert_eq!(ticks(Duration::from_micros(deadline)), wanted);
        }
        assert!(ticks(Duration::MAX) > 1 << 40);
    }
}
