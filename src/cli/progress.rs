//! What is under way: a spinner on a terminal, lines as Terraform's elsewhere, events for
//! programs.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use isobar_sdk::Address;

use super::log::Level;
use super::shell::{Manner, Shell};
use crate::change::Action;
use crate::event::{Event, Sink};
use crate::render::{self, Style};

/// How often time that passes is looked at.
const TICK: Duration = Duration::from_millis(100);
/// How long a change is under way before it is told that it still is, and how often from then on.
const STILL: u64 = 10;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Reading what is there, and forecasting.
    Planning,
    /// Making this many changes.
    Applying(usize),
}

/// Tells what is under way until it is dropped.
pub(super) struct Progress {
    shell: Shell,
    work: Arc<Mutex<Work>>,
    /// Dropped to end the thread.
    ticks: Option<Sender<()>>,
    ticker: Option<JoinHandle<()>>,
}

/// What is known about the work.
struct Work {
    phase: Phase,
    begun: Instant,
    done: usize,
    /// Changes under way: what, since when, and how many times it was told that they still are.
    changing: BTreeMap<Address, (Action, Instant, u64)>,
    reading: usize,
    forecasting: Vec<String>,
}

impl Progress {
    /// Begins a phase.
    pub(super) fn begin(shell: &Shell, phase: Phase) -> Self {
        let work = Arc::new(Mutex::new(Work {
            phase,
            begun: Instant::now(),
            done: 0,
            changing: BTreeMap::new(),
            reading: 0,
            forecasting: Vec::new(),
        }));
        let bar = spinner(shell);
        shell.draw(bar.clone());
        let (ticks, ended) = mpsc::channel();
        let ticker = std::thread::Builder::new()
            .name("progress".to_owned())
            .spawn({
                let (shell, work) = (shell.clone(), Arc::clone(&work));
                move || {
                    while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                        tick(&shell, &work, bar.as_ref());
                    }
                }
            });
        Self {
            shell: shell.clone(),
            work,
            ticks: Some(ticks),
            // Without the thread there is less to see, and nothing else is lost.
            ticker: ticker.ok(),
        }
    }

    /// A view for who has to tell what is left when the program ends at once.
    pub(super) fn under_way(&self) -> impl Fn() -> Vec<Address> + Send + 'static {
        let work = Arc::clone(&self.work);
        move || locked(&work).changing.keys().cloned().collect()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.ticks.take());
        if let Some(ticker) = self.ticker.take() {
            // An error means that the thread has ended by a panic, which it has told itself.
            let _ended = ticker.join();
        }
        self.shell.draw(None);
        self.shell.flush();
    }
}

impl Sink for Progress {
    fn emit(&self, event: Event) {
        let elapsed = locked(&self.work).take(&event);
        let level = match event {
            Event::RefreshStart { .. } | Event::RefreshComplete { .. } => Level::Trace,
            Event::ApplyErrored { .. } => Level::Error,
            _ => Level::Debug,
        };
        self.shell.log(level, || {
            render::event::human(&event, elapsed, &Style::plain(0))
        });
        self.shell
            .events(|| vec![render::json::stream::event(&event, elapsed)]);
        if is_line(&event, self.shell.terminal().error) {
            let style = self.shell.aside_style();
            self.shell
                .say_soon(&render::event::human(&event, elapsed, &style));
        }
    }
}

/// Whether an event gets a line: what is read is told when it begins and what is changed also
/// when it ends; beside a spinner, which shows what is under way, only what has ended.
const fn is_line(event: &Event, beside_spinner: bool) -> bool {
    match event {
        Event::RefreshComplete { .. } => false,
        Event::RefreshStart { .. } | Event::ForecastStart { .. } | Event::ApplyStart { .. } => {
            !beside_spinner
        }
        Event::ForecastComplete { .. }
        | Event::ApplyComplete { .. }
        | Event::ApplyErrored { .. }
        | Event::ApplySkipped { .. } => true,
    }
}

fn locked(work: &Mutex<Work>) -> std::sync::MutexGuard<'_, Work> {
    work.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spinner(shell: &Shell) -> Option<ProgressBar> {
    if !shell.terminal().error || shell.manner() == Manner::Events {
        return None;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{spinner} {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(120));
    Some(bar)
}

fn tick(shell: &Shell, work: &Mutex<Work>, bar: Option<&ProgressBar>) {
    shell.flush();
    let mut work = locked(work);
    if let Some(bar) = bar {
        bar.set_message(work.summary());
        return;
    }
    let due = work.still_due();
    drop(work);
    for (address, action, elapsed) in due {
        shell.event(render::json::stream::progress(&address, action, elapsed));
        shell.say(&render::event::still(&address, action, elapsed));
    }
}

impl Work {
    /// Keeps book; how long what the event ends has taken.
    fn take(&mut self, event: &Event) -> Duration {
        match event {
            Event::RefreshStart { .. } => self.reading += 1,
            Event::RefreshComplete { .. } => {
                self.reading = self.reading.saturating_sub(1);
                self.done += 1;
            }
            Event::ForecastStart { name } => self.forecasting.push(name.clone()),
            Event::ForecastComplete { name, .. } => self.forecasting.retain(|other| other != name),
            Event::ApplyStart { address, action } => {
                let begun = (*action, Instant::now(), 0);
                self.changing.insert(address.clone(), begun);
            }
            Event::ApplyComplete { address, .. } | Event::ApplyErrored { address, .. } => {
                self.done += 1;
                if let Some((_, since, _)) = self.changing.remove(address) {
                    return since.elapsed();
                }
            }
            Event::ApplySkipped { .. } => {}
        }
        Duration::ZERO
    }

    /// The line beside the spinner.
    fn summary(&self) -> String {
        let seconds = self.begun.elapsed().as_secs();
        match self.phase {
            Phase::Applying(total) => {
                let running = self.changing.len();
                format!(
                    "Applying: {} of {total} done, {running} running {seconds}s",
                    self.done
                )
            }
            Phase::Planning if !self.forecasting.is_empty() => {
                format!("Forecasting {} {seconds}s", self.forecasting.join(", "))
            }
            Phase::Planning if self.reading > 0 => {
                let (reading, done) = (self.reading, self.done);
                format!("Reading {reading} resources, {done} read {seconds}s")
            }
            Phase::Planning => format!("Planning {seconds}s"),
        }
    }

    /// The changes of which it is time to tell that they are still under way.
    fn still_due(&mut self) -> Vec<(Address, Action, Duration)> {
        let mut due = Vec::new();
        for (address, (action, since, told)) in &mut self.changing {
            let passed = since.elapsed().as_secs() / STILL;
            if passed > *told {
                *told = passed;
                due.push((
                    address.clone(),
                    *action,
                    Duration::from_secs(passed * STILL),
                ));
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Phase, Work};
    use crate::change::Action;
    use crate::event::Event;

    fn work(phase: Phase) -> Work {
        Work {
            phase,
            begun: Instant::now(),
            done: 0,
            changing: Default::default(),
            reading: 0,
            forecasting: Vec::new(),
        }
    }

    #[test]
    fn what_takes_long_is_told_every_ten_seconds() {
        let mut work = work(Phase::Applying(2));
        let address: isobar_sdk::Address = "isobar_data.a".parse().unwrap();
        let begun = Instant::now().checked_sub(Duration::from_secs(25)).unwrap();
        work.changing
            .insert(address.clone(), (Action::Create, begun, 0));
        let due = work.still_due();
        let expected = (address.clone(), Action::Create, Duration::from_secs(20));
        assert_eq!(due, [expected]);
        assert!(work.still_due().is_empty());
        let elapsed = work.take(&Event::ApplyComplete {
            address,
            action: Action::Create,
            id: None,
        });
        assert!(elapsed >= Duration::from_secs(25));
        assert_eq!(work.summary(), "Applying: 1 of 2 done, 0 running 0s");
    }

    #[test]
    fn planning_says_what_it_waits_for() {
        let mut work = work(Phase::Planning);
        let address: isobar_sdk::Address = "isobar_data.a".parse().unwrap();
        work.take(&Event::RefreshStart {
            address: address.clone(),
        });
        assert_eq!(work.summary(), "Reading 1 resources, 0 read 0s");
        work.take(&Event::RefreshComplete { address });
        work.take(&Event::ForecastStart {
            name: "f".to_owned(),
        });
        assert_eq!(work.summary(), "Forecasting f 0s");
        work.take(&Event::ForecastComplete {
            name: "f".to_owned(),
            method: "naive",
        });
        assert_eq!(work.summary(), "Planning 0s");
    }
}
