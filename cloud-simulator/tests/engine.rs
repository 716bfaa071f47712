//! The engine by itself: what holds whatever is asked of it, and in whatever steps time passes.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

use std::time::Duration;

use isobar_cloud_simulator::aws::Aws;
use isobar_cloud_simulator::engine::{
    Bucket, Capacity, Conditions, Configuration, Container, Fault, Kept, Model, Phase, Policy,
    Refusal, Role, Rollout, Rule, Tags, TargetKey, Variant, When, Wish, World,
};
use isobar_cloud_simulator::{Pace, Simulation};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::Value;

const REGION: &str = "us-east-1";
const TYPE: &str = "ml.m5.large";
const QUOTA: u32 = 7;

fn start() -> Timestamp {
    "2030-01-01T00:00:00Z".parse().unwrap()
}

fn variant(count: u32, instance_type: &str, model: &str) -> Variant {
    Variant {
        name: "blue".to_owned(),
        role: Role::Production,
        model: Some(model.to_owned()),
        capacity: Capacity::Instances {
            instance_type: instance_type.to_owned(),
        },
        count,
        desired_count: count,
        weight: 1.0,
        desired_weight: 1.0,
    }
}

fn model(image: &str) -> Model {
    Model {
        role: None,
        containers: vec![Container {
            image: Some(image.to_owned()),
            artifact: None,
        }],
        document: Value::Null,
        created: start(),
        tags: Tags::new(),
    }
}

fn configuration(variant: Variant) -> Configuration {
    Configuration {
        variants: vec![variant],
        document: Value::Null,
        created: start(),
        tags: Tags::new(),
    }
}

/// Two models, one of which may be ill; three configurations, one of them on other instances.
fn world() -> World {
    let mut world = World::new(start(), 7);
    let (region, _) = world.at(REGION);
    region.quotas.insert(TYPE.to_owned(), QUOTA);
    for (name, image) in [("well", "well:1"), ("ill", "ill:1")] {
        region.create_model(name.to_owned(), model(image)).unwrap();
    }
    for (name, variant) in [
        ("c0", variant(1, TYPE, "well")),
        ("c1", variant(3, TYPE, "ill")),
        ("c2", variant(2, "ml.g5.xlarge", "well")),
    ] {
        let made = region.create_configuration(name.to_owned(), configuration(variant));
        made.unwrap();
    }
    world
}

/// Something that happens in a region.
#[derive(Debug, Clone)]
enum Step {
    Create(usize, &'static str),
    Update(usize, bool, u32),
    Scale(u32),
    Weigh(u8),
    Delete,
    DeleteConfiguration(usize),
    Register(u32, u32),
    Deregister,
    Follow(u32),
    Load(u32),
    Break(bool, bool, bool),
    Maintain(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..3_usize, prop::sample::select(vec!["e", "e", "f"])).prop_map(|(of, name)| Step::Create(of, name)),
        3 => (0..3_usize, any::<bool>(), 0..900_u32).prop_map(|(to, keep, bake)| {
            Step::Update(to, keep, bake)
        }),
        2 => (0..12_u32).prop_map(Step::Scale),
        1 => (0..10_u8).prop_map(Step::Weigh),
        1 => Just(Step::Delete),
        1 => (0..3_usize).prop_map(Step::DeleteConfiguration),
        2 => (1..6_u32, 0..6_u32).prop_map(|(min, more)| Step::Register(min, min + more)),
        1 => Just(Step::Deregister),
        1 => (1..100_u32).prop_map(Step::Follow),
        2 => (0..900_u32).prop_map(Step::Load),
        2 => any::<(bool, bool, bool)>().prop_map(|(ill, out, rings)| Step::Break(ill, out, rings)),
        1 => (0..900_u32).prop_map(Step::Maintain),
    ]
}

fn key() -> TargetKey {
    TargetKey {
        endpoint: "e".to_owned(),
        variant: "blue".to_owned(),
    }
}

fn take(world: &mut World, step: &Step) -> Result<(), Refusal> {
    let (region, moment) = world.at(REGION);
    let name = |number: usize| format!("c{number}");
    match *step {
        Step::Create(of, endpoint) => region.create_endpoint(
            endpoint.to_owned(),
            name(of),
            Rollout::default(),
            Tags::new(),
            &moment,
        ),
        Step::Update(to, keep, bake) => {
            let rollout = Rollout {
                bake,
                alarms: vec!["bell".to_owned()],
                document: None,
            };
            let kept = Kept {
                counts: keep,
                weights: keep,
            };
            region.update_endpoint("e", name(to), kept, rollout, &moment)
        }
        Step::Scale(count) => region.adjust_endpoint("e", &[wish(None, Some(count))], &moment),
        Step::Weigh(weight) => {
            region.adjust_endpoint("e", &[wish(Some(weight.into()), None)], &moment)
        }
        Step::Delete => region.delete_endpoint("e", &moment),
        Step::DeleteConfiguration(of) => region.delete_configuration(&name(of)),
        Step::Register(min, max) => {
            region.register_target(key(), (Some(min), Some(max)), None, None, &moment)
        }
        Step::Deregister => region.deregister_target(&key()),
        Step::Follow(per_instance) => region.target(&key()).map(|target| {
            target.policies.insert("p".to_owned(), policy(per_instance));
        }),
        Step::Load(per_minute) => {
            if let Some(endpoint) = region.endpoints.get_mut("e") {
                endpoint.load.insert("blue".to_owned(), per_minute.into());
            }
            Ok(())
        }
        Step::Break(ill, out, rings) => {
            region.conditions = broken(ill, out, rings);
            Ok(())
        }
        Step::Maintain(seconds) => {
            let until = moment.after(seconds);
            let idle = region.endpoints.get("e").map(|endpoint| &endpoint.phase);
            match idle {
                Some(Phase::InService) => region.force("e", Phase::Maintained { until }, &moment),
                Some(_) | None => Ok(()),
            }
        }
    }
}

fn wish(weight: Option<f32>, count: Option<u32>) -> Wish {
    Wish {
        variant: "blue".to_owned(),
        weight,
        count,
    }
}

fn policy(per_instance: u32) -> Policy {
    Policy {
        per_instance: Some(per_instance.into()),
        cooldown_in: 300,
        cooldown_out: 60,
        grows_only: false,
        document: Value::Null,
        created: start(),
    }
}

fn broken(ill: bool, out: bool, rings: bool) -> Conditions {
    let mut conditions = Conditions::default();
    conditions
        .unhealthy_images
        .extend(ill.then(|| "ill:1".to_owned()));
    conditions.exhausted.extend(out.then(|| TYPE.to_owned()));
    conditions.alarms.extend(rings.then(|| "bell".to_owned()));
    conditions
}

fn later(time: Timestamp, seconds: u32) -> Timestamp {
    time + SignedDuration::from_secs(seconds.into())
}

fn bytes(world: &World) -> String {
    serde_json::to_string(world).unwrap()
}

/// What holds at any time.
fn require_sound(world: &mut World) {
    let now = world.clock;
    let (region, _) = world.at(REGION);
    assert!(region.used(TYPE) <= QUOTA, "the quota is exceeded");
    let Some(endpoint) = region.endpoints.get("e") else {
        return;
    };
    for configuration in endpoint.configurations() {
        assert!(region.configurations.contains_key(configuration));
    }
    let settled = endpoint.phase == Phase::InService;
    for variant in &endpoint.fleet {
        assert!(!settled || variant.count == variant.desired_count);
        assert!(!settled || variant.weight.to_bits() == variant.desired_weight.to_bits());
    }
    assert!(!settled || !endpoint.fleet.is_empty());
    if let Some(target) = region.targets.get(&key()) {
        let bounds = target.envelope.min..=target.envelope.max;
        let waits = target.quiet_until.is_some_and(|until| now < until);
        let inside = endpoint
            .fleet
            .iter()
            .all(|variant| bounds.contains(&variant.count));
        assert!(!settled || waits || inside, "a rule was left out");
    }
}

proptest! {
    /// Time may pass at once or second by second, and the same operations give the same bytes.
    #[test]
    fn steps_of_time_do_not_matter(
        steps in prop::collection::vec((step(), 0..700_u32), 1..25),
    ) {
        let (mut leaping, mut walking) = (world(), world());
        for (step, seconds) in steps {
            let told = take(&mut leaping, &step);
            prop_assert_eq!(&told, &take(&mut walking, &step));
            let end = later(leaping.clock, seconds);
            leaping.advance(end);
            while walking.clock < end {
                walking.advance(later(walking.clock, 1));
            }
            walking.advance(end);
            prop_assert_eq!(bytes(&leaping), bytes(&walking));
            require_sound(&mut leaping);
        }
    }

    /// A refusal changes nothing.
    #[test]
    fn what_is_refused_has_not_happened(
        steps in prop::collection::vec((step(), 0..700_u32), 1..25),
    ) {
        let mut world = world();
        for (step, seconds) in steps {
            let before = bytes(&world);
            if take(&mut world, &step).is_err() {
                prop_assert_eq!(before, bytes(&world));
            }
            world.advance(later(world.clock, seconds));
        }
    }
}

#[test]
fn an_endpoint_that_fails_holds_no_instances() {
    let mut world = world();
    world.at(REGION).0.conditions = broken(true, false, false);
    take(&mut world, &Step::Create(1, "e")).unwrap();
    assert_eq!(world.at(REGION).0.used(TYPE), 3);
    world.advance(later(start(), 240));
    let (region, _) = world.at(REGION);
    assert_eq!(region.endpoints["e"].phase, Phase::Failed);
    assert_eq!(region.used(TYPE), 0);
}

#[test]
fn a_bucket_fills_with_time() {
    let mut bucket = Bucket::new(2.0, 0.5);
    let taken = [0, 0, 0, 1, 2, 3, 4, 100, 100, 100];
    let taken = taken.map(|second| bucket.take(later(start(), second)));
    let expected = [
        true, true, false, false, true, false, true, true, true, false,
    ];
    assert_eq!(taken, expected);
}

/// Which of a hundred calls a rule spoils.
fn spoiled(seed: u64, when: When) -> Vec<usize> {
    let mut world = World::new(start(), seed);
    world.faults.push(Rule {
        operation: Some("Read".to_owned()),
        when,
        fault: Fault::ServerError,
        calls: 0,
        hits: 0,
    });
    let calls = (1..=100).filter(|_| {
        assert_eq!(world.admit("Write"), None);
        world.admit("Read").is_some()
    });
    calls.collect()
}

#[test]
fn rules_spoil_the_calls_that_they_are_about() {
    assert_eq!(spoiled(0, When::Next(2)), [1, 2]);
    assert_eq!(spoiled(0, When::Nth(3)), [3]);
    assert_eq!(spoiled(0, When::Every(40)), [40, 80]);
    assert_eq!(spoiled(0, When::Every(0)), [0; 0]);
    assert_eq!(spoiled(0, When::Share(0.0)), [0; 0]);
    assert_eq!(spoiled(0, When::Share(1.0)).len(), 100);
    let by_chance = spoiled(1, When::Share(0.2));
    assert_eq!(by_chance, spoiled(1, When::Share(0.2)));
    assert_ne!(by_chance, spoiled(2, When::Share(0.2)));
    assert!((8..=35).contains(&by_chance.len()), "{by_chance:?}");
}

#[test]
fn simulated_time_goes_at_its_own_pace() {
    let aws = Aws {
        account: "123456789012".to_owned(),
        keys: std::collections::BTreeMap::new(),
        contract: None,
    };
    let fast = Pace {
        rate: 60.0,
        per_call: 0,
    };
    let mut simulation = Simulation::new(World::new(start(), 0), aws, fast);
    simulation.catch_up(Duration::from_secs(2));
    assert_eq!(simulation.world.clock, later(start(), 120));
    let still = Pace {
        rate: 0.0,
        per_call: 0,
    };
    let wanted = later(simulation.world.clock, 30);
    simulation.set_pace(still, wanted, Duration::from_secs(2));
    simulation.catch_up(Duration::from_secs(50));
    assert_eq!(simulation.world.clock, later(start(), 150));
    simulation.set_pace(fast, start(), Duration::from_secs(50));
    simulation.catch_up(Duration::from_secs(51));
    assert_eq!(simulation.world.clock, later(start(), 210));
}
