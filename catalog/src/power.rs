//! Electric power of instances, by the coefficients of Cloud Carbon Footprint.
//!
//! Source: cloud-carbon-footprint, `packages/core/src/…FootprintEstimationConstants.ts` at
//! b7a049c7d25c (2024-03), Apache-2.0. What it does not have is taken from the board power of the
//! vendor's data sheet in the proportions of what it has: 0.116 of it idle, 1.02 under full load.
//! The energy that it took to make the machines is not in it.

use crate::cloud::{Accelerator, Instance};

/// Share of the full load that an instance is taken to have while it serves: the mean that Cloud
/// Carbon Footprint assumes where nothing is measured.
const LOAD: f64 = 0.5;
/// Watts of one virtual processor without and with full load: the means over the processors of
/// AWS, Azure and Google Cloud.
const VCPU: (f64, f64) = (0.74, 3.5);
/// Watts of one GB of memory.
const MEMORY: f64 = 0.392;
/// Share of the board power that an accelerator draws without and with full load.
const BOARD: (f64, f64) = (0.116, 1.02);

/// Watts of an accelerator without and with full load.
#[derive(Clone, Copy)]
enum Draw {
    /// As Cloud Carbon Footprint has it.
    Told(f64, f64),
    /// The board power that its vendor states.
    Board(f64),
}

/// By type; Inferentia and Trainium are missing, since nobody states their power.
const ACCELERATORS: [(&str, Draw); 17] = [
    ("a10", Draw::Board(150.0)),
    ("a100", Draw::Told(46.0, 407.0)),
    ("a100-80gb", Draw::Told(46.0, 407.0)),
    ("a10g", Draw::Told(18.0, 153.0)),
    ("b200", Draw::Board(1000.0)),
    ("h100", Draw::Board(700.0)),
    ("h100-nvl", Draw::Board(400.0)),
    ("h200", Draw::Board(700.0)),
    ("k80", Draw::Told(35.0, 306.0)),
    ("l4", Draw::Board(72.0)),
    ("l40s", Draw::Board(350.0)),
    ("mi300x", Draw::Board(750.0)),
    ("p4", Draw::Told(9.0, 76.5)),
    ("rtx-pro-6000", Draw::Board(600.0)),
    ("t4", Draw::Told(8.0, 71.0)),
    ("v100", Draw::Told(35.0, 306.0)),
    ("v100-32gb", Draw::Told(35.0, 306.0)),
];

/// Mean power of an instance that serves, in watts; `None` where that of its accelerator is not
/// known.
///
/// The sum over processors and accelerators of `idle + 0.5 · (full − idle)`, and of memory.
#[must_use]
pub fn watts(instance: &Instance<'_>) -> Option<f64> {
    let loaded = |(idle, full): (f64, f64)| (full - idle).mul_add(LOAD, idle);
    let accelerators = match instance.accelerator {
        None => 0.0,
        Some(Accelerator { kind, count, .. }) => {
            let (_, draw) = ACCELERATORS.iter().find(|(known, _)| *known == kind)?;
            let one = match *draw {
                Draw::Told(idle, full) => (idle, full),
                Draw::Board(board) => (BOARD.0 * board, BOARD.1 * board),
            };
            count * loaded(one)
        }
    };
    let processors = instance.vcpu * loaded(VCPU);
    Some(processors + instance.memory * MEMORY + accelerators)
}

#[cfg(test)]
mod tests {
    use isobar_sdk::deployment::Architecture;

    use super::watts;
    use crate::cloud::{Accelerator, Instance};

    fn instance(kind: Option<&'static str>) -> Instance<'static> {
        Instance {
            name: "g5.xlarge",
            managed: None,
            vcpu: 4.0,
            memory: 16.0,
            accelerator: kind.map(|kind| Accelerator {
                kind,
                count: 1.0,
                memory: 24.0,
            }),
            architecture: Architecture::Amd64,
        }
    }

    #[test]
    fn power_is_that_of_its_parts() {
        let bare = 4.0 * 2.12 + 16.0 * 0.392;
        let close = |kind, expected: f64| (watts(&instance(kind)).unwrap() - expected).abs() < 1e-9;
        assert!(close(None, bare));
        assert!(close(Some("a10g"), bare + 85.5));
        assert!(close(Some("l4"), bare + 72.0 * 0.568));
        assert_eq!(watts(&instance(Some("trainium"))), None);
    }
}
