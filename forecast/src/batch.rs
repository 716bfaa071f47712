//! Many pieces of work on several threads, with the results in the order of the work.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

/// Does `work` on every task with up to `threads` threads, and gives the results to `take`, on the
/// calling thread, in the order of the tasks.
///
/// A task is drawn when a thread is free for it, so tasks that are made on the way need no more
/// memory than those under way; results wait only for slower ones before them.
pub fn in_order<T: Send, R: Send>(
    tasks: impl Iterator<Item = T> + Send,
    threads: NonZeroUsize,
    work: impl Fn(T) -> R + Sync,
    mut take: impl FnMut(R),
) {
    let tasks = Mutex::new(tasks.enumerate());
    let draw = || tasks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let (finished, results) = mpsc::channel();
    let toil = |finished: mpsc::Sender<(usize, R)>| {
        while let Some((place, task)) = draw() {
            if finished.send((place, work(task))).is_err() {
                break;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.get() {
            let (finished, toil) = (finished.clone(), &toil);
            let worker = move || toil(finished);
            // With fewer threads it only takes longer.
            let _begun = thread::Builder::new().spawn_scoped(scope, worker);
        }
        drop(finished);
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (place, result) in results {
            early.insert(place, result);
            while let Some(result) = early.remove(&due) {
                take(result);
                due += 1;
            }
        }
    });
    // Whatever no thread could be found for.
    while let Some((_, task)) = draw() {
        take(work(task));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_tasks() {
        let slow_first = |task: u64| {
            thread::sleep(Duration::from_millis(20_u64.saturating_sub(task)));
            task * 2
        };
        let mut taken = Vec::new();
        let threads = NonZeroUsize::new(4).unwrap();
        in_order(0..40, threads, slow_first, |result| taken.push(result));
        assert_eq!(taken, (0..40).map(|task| task * 2).collect::<Vec<_>>());
    }

    #[test]
    fn tasks_are_drawn_when_a_thread_is_free() {
        let drawn = AtomicUsize::new(0);
        let done = AtomicUsize::new(0);
        let tasks = (0..50).inspect(|_| {
            drawn.fetch_add(1, Ordering::SeqCst);
        });
        let threads = NonZeroUsize::new(3).unwrap();
        let work = |_| {
            let ahead = drawn.load(Ordering::SeqCst) - done.load(Ordering::SeqCst);
            done.fetch_add(1, Ordering::SeqCst);
            ahead
        };
        let mut most = 0;
        in_order(tasks, threads, work, |ahead| most = most.max(ahead));
        assert!((1..=3).contains(&most), "{most}");
    }
}
