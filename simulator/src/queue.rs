//! The discrete-event engine's service: every request by itself.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::engine::{Offer, Served, Server};
use super::fluid::LONGEST_QUEUE;
use super::scenario::Scenario;
use super::stream::{Purpose, Stream};
use super::trace::SLOT;
use super::waiting::TIMES;

/// Nanoseconds, so that times are ordered exactly.
type Time = u64;

const SECOND: f64 = 1e9;

/// One queue per zone, first come first served.
#[derive(Debug)]
pub(super) struct Queue {
    zones: Vec<Line>,
    service: Duration,
    services: Stream,
    concurrency: u32,
}

/// A zone's slots and those who wait for one.
#[derive(Debug)]
struct Line {
    arrivals: Stream,
    /// The ends of service, with a number that orders equal ones.
    busy: BinaryHeap<Reverse<(Time, u64)>>,
    /// When those who wait came, and what they take.
    waiting: VecDeque<(Time, Time)>,
    slack: Time,
    now: Time,
    next: u64,
}

/// How long a request keeps a slot busy.
#[derive(Debug, Clone, Copy)]
enum Duration {
    Constant(f64),
    Exponential(f64),
    /// The mean and deviation of the logarithm.
    Lognormal(f64, f64),
}

impl Duration {
    fn draw(self, stream: &mut Stream) -> Time {
        let seconds = match self {
            Self::Constant(seconds) => seconds,
            Self::Exponential(mean) => mean * stream.exponential(),
            Self::Lognormal(mean, deviation) => (mean + deviation * stream.normal()).exp(),
        };
        (seconds * SECOND) as Time
    }
}

impl Queue {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let performance = &scenario.service.performance;
        let mean = performance.service_time.as_secs_f64();
        let squares = performance.variability;
        let service = if squares <= 0.0 {
            Duration::Constant(mean)
        } else if (squares - 1.0).abs() < 1e-9 {
            Duration::Exponential(mean)
        } else {
            // Of this mean and squared coefficient of variation.
            let variance = (1.0 + squares).ln();
            Duration::Lognormal(mean.ln() - variance / 2.0, variance.sqrt())
        };
        let line = |(place, zone)| Line {
            arrivals: Stream::new(scenario.seed, Purpose::Arrivals, place as u64),
            busy: BinaryHeap::new(),
            waiting: VecDeque::new(),
            slack: (scenario.slack(zone).as_secs_f64() * SECOND) as Time,
            now: 0,
            next: 0,
        };
        Self {
            zones: scenario.zones.iter().enumerate().map(line).collect(),
            service,
            services: Stream::new(scenario.seed, Purpose::Services, 0),
            concurrency: performance.concurrency,
        }
    }
}

impl Server for Queue {
    fn serve(&mut self, zone: usize, offer: &Offer) -> Served {
        let slots = (offer.replicas * self.concurrency) as usize;
        let line = &mut self.zones[zone];
        let end = line.now + (SLOT * SECOND) as Time;
        let mut seen = Served::default();
        if offer.lost {
            seen.shed = line.waiting.len() as f64;
            line.waiting.clear();
            line.busy.clear();
        }
        let queued = line.waiting.len() as f64;
        // Replicas that came into being during the last slot take who waits.
        line.start(slots, line.now, &mut seen);
        let mut busy_time = 0.0;
        for time in line.requests(offer.rate, end) {
            line.finish_until(time, slots, &mut seen);
            seen.arrived += 1.0;
            let takes = self.service.draw(&mut self.services);
            busy_time += takes as f64;
            line.arrive(time, takes, offer, slots, &mut seen);
        }
        line.finish_until(end, slots, &mut seen);
        line.now = end;
        seen.queued = line.waiting.len() as f64;
        seen.served = queued + seen.arrived - seen.queued - seen.shed;
        if offer.lost {
            seen.served = 0.0;
        }
        let offered = slots as f64 * SLOT * SECOND;
        seen.busy = if slots > 0 {
            (busy_time / offered).min(1.0)
        } else {
            0.0
        };
        seen
    }
}

impl Line {
    /// The times of the requests until `end`, ascending.
    fn requests(&mut self, rate: f64, end: Time) -> Vec<Time> {
        let length = SLOT * SECOND;
        let count = self.arrivals.poisson(rate * SLOT);
        let mut times: Vec<Time> = (0..count)
            .map(|_| end - (self.arrivals.share() * length) as Time)
            .collect();
        times.sort_unstable();
        times
    }

    /// Ends what is done by `time`; each slot that is freed takes the next who waits.
    fn finish_until(&mut self, time: Time, slots: usize, seen: &mut Served) {
        while let Some(Reverse((done, _))) = self.busy.peek().copied() {
            if done > time {
                break;
            }
            self.busy.pop();
            self.start(slots, done, seen);
        }
    }

    /// Gives free slots to those who wait.
    fn start(&mut self, slots: usize, now: Time, seen: &mut Served) {
        while self.busy.len() < slots
            && let Some((came, takes)) = self.waiting.pop_front()
        {
            self.begin(came, now, takes, seen);
        }
    }

    fn begin(&mut self, came: Time, now: Time, takes: Time, seen: &mut Served) {
        let wait = now.saturating_sub(came);
        seen.late += f64::from(u8::from(wait > self.slack));
        seen.waited += wait as f64 / SECOND;
        for (longer, time) in seen.longer.iter_mut().zip(TIMES) {
            *longer += f64::from(u8::from(wait > time * 1_000_000));
        }
        self.next += 1;
        self.busy.push(Reverse((now.max(came) + takes, self.next)));
    }

    fn arrive(&mut self, time: Time, takes: Time, offer: &Offer, slots: usize, seen: &mut Served) {
        let rate = slots as f64 / offer.service;
        let shed = offer.lost || slots == 0 || self.waiting.len() as f64 >= LONGEST_QUEUE * rate;
        if shed {
            seen.shed += 1.0;
            seen.late += 1.0;
            seen.longer.iter_mut().for_each(|longer| *longer += 1.0);
        } else if self.busy.len() < slots {
            self.begin(time, time, takes, seen);
        } else {
            self.waiting.push_back((time, takes));
        }
    }
}
