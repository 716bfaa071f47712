//! How long large fleets take; printed, not judged.

use std::time::Instant;

use super::super::*;
use super::claims;
use super::scenario::{self, Size};

fn time(name: &str, size: Size) {
    for number in 0..4 {
        let mut fleet = scenario::random(number, size);
        for service in &mut fleet.services {
            service.rules.survive = Some(Domain::Zone);
            service.rules.residency = None;
            service
                .sites
                .iter_mut()
                .for_each(|site| site.maximum = Some(60));
            for origin in &mut service.origins {
                origin.demand *= 6.0;
                origin.failover *= 6.0;
            }
        }
        for zone in &mut fleet.zones {
            zone.available = true;
            for shape in &mut zone.shapes {
                if let Some(limit) = &mut shape.limit {
                    limit.most = limit.most * 3 + size.services as u32;
                }
            }
        }
        let begin = Instant::now();
        let solved = solve(&fleet, Effort::default());
        let took = begin.elapsed();
        match solved {
            Ok(solution) => {
                let gaps = solution.services.iter().map(|service| match service.gap {
                    Gap::Proven => 0.0,
                    Gap::Within(part) => part,
                });
                let worst = gaps.fold(0.0, f64::max);
                claims::hold(&fleet, &solution);
                let weighed = |service: &Allocation| match service.gap {
                    Gap::Proven => 0.0,
                    Gap::Within(part) => {
                        let cost = service.cost_micros_per_hour as f64;
                        cost - cost / (1.0 + part)
                    }
                };
                let over: f64 = solution.services.iter().map(weighed).sum();
                let cost: u64 = solution
                    .services
                    .iter()
                    .map(|s| s.cost_micros_per_hour)
                    .sum();
                let proven = solution
                    .services
                    .iter()
                    .filter(|s| s.gap == Gap::Proven)
                    .count();
                println!(
                    "{name} {number}: {took:?}, {proven} proven, gap at most {:.1} %, of all {:.1} %",
                    worst * 100.0,
                    over / (cost as f64 - over) * 100.0
                );
            }
            Err(errors) => println!("{name} {number}: {took:?}, {}", errors[0]),
        }
    }
}

#[test]
#[ignore = "takes a while without optimisation; run with --release --nocapture"]
fn large_fleets() {
    for rich in [false, true] {
        let size = Size {
            zones: 12,
            services: 50,
            replicas: 12,
            rich,
        };
        time(
            if rich {
                "50 x 12 rich"
            } else {
                "50 x 12 plain"
            },
            size,
        );
        let size = Size {
            zones: 30,
            services: 20,
            ..size
        };
        time(
            if rich {
                "20 x 30 rich"
            } else {
                "20 x 30 plain"
            },
            size,
        );
    }
}
