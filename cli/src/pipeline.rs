//! Many requests at once, answered in their order.
//!
//! Batches go round the workers in turn and come back in the same turn, over channels that hold only a few: order needs no
//! sorting, memory is bounded, and a slow reader of the answers holds everything up instead of filling memory.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// Batches that wait for a worker, and answers that wait to be written, for each worker.
const WAITING: usize = 2;

/// Does `work` on what `source` gives, on several threads, and hands the results to `sink` in the order of the source.
/// Ends when the source does.
///
/// # Errors
/// The sink's error at once; the source's once everything before it has been handed over; or that a worker panicked.
pub(crate) fn in_order<T: Send + 'static, R: Send + 'static>(
    jobs: NonZero<usize>,
    mut source: impl FnMut() -> io::Result<Option<Vec<T>>> + Send + 'static,
    work: impl Fn(T) -> R + Send + Sync + 'static,
    mut sink: impl FnMut(Vec<R>) -> io::Result<()>,
) -> io::Result<()> {
    let work = Arc::new(work);
    let mut tasks: Vec<SyncSender<Vec<T>>> = Vec::new();
    let mut workers: Vec<(Receiver<Vec<R>>, JoinHandle<()>)> = Vec::new();
    for _ in 0..jobs.get() {
        let (give, take) = sync_channel::<Vec<T>>(WAITING);
        let (give_back, take_back) = sync_channel(WAITING);
        let work = work.clone();
        let worker = thread::spawn(move || {
            for batch in take {
                if give_back.send(batch.into_iter().map(|item| work(item)).collect()).is_err() {
                    return;
                }
            }
        });
        tasks.push(give);
        workers.push((take_back, worker));
    }
    let reader: JoinHandle<io::Result<()>> = thread::spawn(move || {
        for worker in tasks.iter().cycle() {
            let Some(batch) = source()? else { break };
            if worker.send(batch).is_err() {
                break;
            }
        }
        Ok(())
    });
    let mut turn = 0;
    for (results, _) in workers.iter().cycle() {
        match results.recv() {
            Ok(batch) => sink(batch)?,
            Err(_) => break,
        }
        turn = (turn + 1) % workers.len();
    }
    // A channel ends when the source does, and when its worker dies; the two must not be confused.
    let (_, last) = workers.swap_remove(turn);
    last.join().map_err(|_| io::Error::other("a worker panicked"))?;
    reader.join().unwrap_or_else(|_| Err(io::Error::other("the reader panicked")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn run(
        jobs: usize,
        items: u64,
        work: impl Fn(u64) -> u64 + Send + Sync + 'static,
    ) -> (Vec<u64>, io::Result<()>) {
        let mut next = 0;
        let source = move || {
            let batch: Vec<u64> = (next..items.min(next + 3)).collect();
            next += batch.len() as u64;
            Ok((!batch.is_empty()).then_some(batch))
        };
        let mut found = Vec::new();
        let ended = in_order(NonZero::new(jobs).unwrap(), source, work, |batch| {
            found.extend(batch);
            Ok(())
        });
        (found, ended)
    }

    #[test]
    fn results_come_in_the_order_of_the_source() {
        for jobs in [1, 2, 7] {
            let (found, ended) = run(jobs, 100, |item| {
                thread::sleep(Duration::from_micros((item * 7919) % 300));
                item
            });
            ended.unwrap();
            assert_eq!(found, (0..100).collect::<Vec<_>>());
        }
        assert!(run(4, 0, |item| item).0.is_empty());
    }

    #[test]
    fn a_worker_that_dies_is_not_the_end_of_the_input() {
        let (_, ended) = run(2, 100, |item| if item == 50 { panic!("as asked") } else { item });
        assert_eq!(ended.unwrap_err().to_string(), "a worker panicked");
    }

    #[test]
    fn errors_of_both_ends_are_handed_on() {
        let failing = || Err::<Option<Vec<u8>>, _>(io::Error::other("source"));
        let ended = in_order(NonZero::<usize>::MIN, failing, |item| item, |_| Ok(()));
        assert_eq!(ended.unwrap_err().to_string(), "source");
        let endless = || Ok(Some(vec![1]));
        let ended =
            in_order(NonZero::<usize>::MIN, endless, |item: i32| item, |_| Err(io::Error::other("sink")));
        assert_eq!(ended.unwrap_err().to_string(), "sink");
    }
}
