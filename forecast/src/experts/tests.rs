//! Tests of the module as a whole.

use jiff::Timestamp;

use super::*;
use crate::dice::Dice;

const HOUR: Duration = Duration::from_secs(3600);

/// Days of a wave with noise, in hours.
fn wave(hours: usize, noise: f64) -> Vec<f64> {
    let mut dice = Dice::new(7);
    let value = |hour: usize| {
        let phase = (hour % 24) as f64 / 24.0 * std::f64::consts::TAU;
        100.0 * (2.0 + phase.sin()) * (1.0 + noise * (dice.share() - 0.5))
    };
    (0..hours).map(value).collect()
}

#[test]
fn the_method_gives_the_numbers_of_the_incremental_form() {
    let values = wave(24 * 20, 0.2);
    let slots: Vec<_> = values.iter().map(|value| Some(*value)).collect();
    let history = History::new(&slots, Timestamp::UNIX_EPOCH, HOUR);
    let fitted = Mixed.fit(&history, 30).unwrap();
    let batch = fitted.point(&history, 30);
    for lead in [1, 7, 30] {
        let ahead = Ahead { lead, length: 1 };
        let mut experts = Experts::new(HOUR, ahead, history.floor(), &[0.5]);
        for value in &values {
            experts.observe(*value);
        }
        assert_eq!(experts.quantile(0), Some(batch[lead - 1]), "{lead}");
    }
    assert_eq!(fitted.point(&history, 31)[..30], batch[..]);
}

#[test]
fn a_season_is_known_after_some_days() {
    let ahead = Ahead { lead: 6, length: 1 };
    let mut experts = Experts::new(HOUR, ahead, 1.0, &[0.5]);
    let values = wave(24 * 14, 0.0);
    for (hour, value) in values.iter().enumerate() {
        experts.observe(*value);
        if let (true, Some(then)) = (hour > 24 * 7, values.get(hour + 6)) {
            let expected = experts.quantile(0).unwrap();
            assert!(
                (expected / then - 1.0).abs() < 0.01,
                "{expected} for {then}"
            );
        }
    }
}

#[test]
fn levels_are_exceeded_as_often_as_they_say() {
    let ahead = Ahead { lead: 3, length: 2 };
    let levels = [0.5, 0.9, 0.98];
    let mut experts = Experts::new(HOUR, ahead, 1.0, &levels);
    let values = wave(24 * 200, 0.4);
    let (mut exceeded, mut asked) = ([0.0; 3], 0.0);
    for (hour, value) in values.iter().enumerate() {
        experts.observe(*value);
        let Some(window) = values.get(hour + 3..hour + 5) else {
            break;
        };
        if hour < 24 * 20 {
            continue;
        }
        asked += 1.0;
        let greatest = window.iter().copied().fold(0.0, f64::max);
        for (place, count) in exceeded.iter_mut().enumerate() {
            *count += f64::from(u8::from(greatest > experts.quantile(place).unwrap()));
        }
    }
    for (level, exceeded) in levels.iter().zip(exceeded) {
        let share = exceeded / asked;
        assert!(
            (share - (1.0 - level)).abs() < 0.03,
            "{share} above {level}"
        );
    }
}

#[test]
fn nothing_is_said_before_anything_was_learned() {
    let mut experts = Experts::new(HOUR, Ahead { lead: 1, length: 1 }, 1.0, &[0.9]);
    assert_eq!(experts.quantile(0), None);
    experts.observe(0.0);
    assert_eq!((experts.quantile(0), experts.observations()), (None, 1));
    assert_eq!(experts.quantile(1), None);
}
