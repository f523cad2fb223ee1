//! The workers of a thread.
//!
//! Each thread builds its own: engines that share one parsed policy slow each other down through its reference counts.
//! A worker is taken out while it works and put back only if it succeeded, so one that failed or panicked is gone.
//! Deciding and tracing have workers of their own: one that records lines would decide more slowly ever after.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use tribunal_engine_core::fault::{Fault, FaultKind};

use crate::worker::{Policy, Worker};

/// Workers a thread keeps; the one unused for longest goes first.
pub(crate) const WORKERS_PER_THREAD: usize = 64;

thread_local! {
    /// Least recently used first.
    static WORKERS: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

/// What a worker is kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// To decide.
    Decide,
    /// To decide and record the lines it went through.
    Trace,
}

struct Slot {
    /// Keeps the policy's address from being used again, but not the policy.
    policy: Weak<Policy>,
    task: Task,
    worker: Worker,
}

/// Runs something with this thread's worker for a policy and a task.
pub(crate) fn with_worker<T>(
    policy: &Arc<Policy>,
    task: Task,
    run: impl FnOnce(&mut Worker) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let mut worker = match take(policy, task) {
        Some(worker) => worker,
        None => {
            forget_dropped_policies();
            Worker::build(&policy.sources, &policy.data, policy.strict)
                .map_err(|report| Fault::new(FaultKind::EvaluationError, report.message))?
        }
    };
    let result = run(&mut worker)?;
    put_back(policy, task, worker);
    Ok(result)
}

fn take(policy: &Arc<Policy>, task: Task) -> Option<Worker> {
    WORKERS.with_borrow_mut(|workers| {
        let index = workers
            .iter()
            .rposition(|slot| slot.task == task && std::ptr::eq(slot.policy.as_ptr(), Arc::as_ptr(policy)))?;
        Some(workers.remove(index).worker)
    })
}

fn put_back(policy: &Arc<Policy>, task: Task, worker: Worker) {
    WORKERS.with_borrow_mut(|workers| {
        if workers.len() >= WORKERS_PER_THREAD {
            workers.remove(0);
        }
        workers.push(Slot { policy: Arc::downgrade(policy), task, worker });
    });
}

fn forget_dropped_policies() {
    WORKERS.with_borrow_mut(|workers| workers.retain(|slot| slot.policy.strong_count() > 0));
}

/// How many workers this thread keeps.
#[cfg(test)]
fn kept() -> usize {
    WORKERS.with_borrow(Vec::len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Question;
    use crate::worker::Source;
    use std::time::Duration;

    fn policy() -> Arc<Policy> {
        Arc::new(Policy {
            sources: Arc::new([Source { name: "p.rego".into(), text: "package p\nx := 1\n".into() }]),
            data: Arc::new(serde_json::json!({})),
            question: Question::Decision("data.p.x".into()),
            strict: true,
            deadline: Duration::from_secs(1),
            output: 1024,
        })
    }

    #[test]
    fn a_worker_that_failed_or_panicked_is_gone() {
        let policy = policy();
        with_worker(&policy, Task::Decide, |_| Ok(())).unwrap();
        assert_eq!(kept(), 1);
        with_worker::<()>(&policy, Task::Decide, |_| Err(Fault::new(FaultKind::EvaluationError, "wrong")))
            .unwrap_err();
        assert_eq!(kept(), 0);
        with_worker(&policy, Task::Decide, |_| Ok(())).unwrap();
        let panicked = std::panic::catch_unwind(|| {
            with_worker::<()>(&policy, Task::Decide, |_| std::panic::resume_unwind(Box::new(())))
        });
        assert!(panicked.is_err());
        assert_eq!(kept(), 0);
    }

    #[test]
    fn a_worker_that_records_lines_never_decides() {
        let policy = policy();
        with_worker(&policy, Task::Trace, |_| Ok(())).unwrap();
        with_worker(&policy, Task::Decide, |_| Ok(())).unwrap();
        assert_eq!(kept(), 2);
        with_worker(&policy, Task::Trace, |_| Ok(())).unwrap();
        assert_eq!(kept(), 2);
    }

    #[test]
    fn workers_of_dropped_policies_go_and_the_rest_are_bounded() {
        let first = policy();
        with_worker(&first, Task::Decide, |_| Ok(())).unwrap();
        drop(first);
        with_worker(&policy(), Task::Decide, |_| Ok(())).unwrap();
        assert_eq!(kept(), 1);
        let many: Vec<_> = (0..WORKERS_PER_THREAD + 5).map(|_| policy()).collect();
        for policy in &many {
            with_worker(policy, Task::Decide, |_| Ok(())).unwrap();
        }
        assert_eq!(kept(), WORKERS_PER_THREAD);
    }
}
