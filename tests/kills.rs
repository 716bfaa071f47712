//! The program killed (SIGKILL) at seeded instants of applies and destroys, on a cloud with
//! faults and with processes of this machine, and run again: nothing is lost, nothing is there
//! twice, and what is wanted is reached.
//!
//! `ISOBAR_KILLS=0..1000 cargo test --test kills -- --nocapture` chooses the seeds; a failure
//! names its own.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends where its case does not hold, and says what it has seen"
)]

#[expect(dead_code, reason = "it is shared by tests")]
mod program;

use std::collections::BTreeSet;
use std::ops::Range;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant as Clock};

use program::{Folder, Run};
use serde_json::{Value as Json, json};

/// Random numbers from a seed (the finaliser of SplitMix64, Steele et al. 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) % end
    }
}

fn seeds(usual: Range<u64>) -> Range<u64> {
    let chosen = std::env::var_os("ISOBAR_KILLS");
    let chosen = chosen.as_ref().and_then(|text| text.to_str());
    let bounds = chosen.and_then(|text| text.split_once(".."));
    bounds.map_or(usual, |(from, to)| {
        from.parse().unwrap()..to.parse().unwrap()
    })
}

/// What was seen over all seeds.
#[derive(Debug, Default)]
struct Seen {
    /// Runs that were killed before their end.
    killed: u32,
    /// Runs that came to their end first.
    ended: u32,
    /// Kills that left something begun whose end was not known.
    pending: u32,
    /// Runs that a fault made fail.
    failed: u32,
}

/// What is asked of a place where things run.
trait World {
    /// The configuration of one version; `None` for everything gone.
    fn configuration(&self, version: u64) -> String;
    /// The ids of what really is there.
    fn there(&self, folder: &Folder) -> BTreeSet<String>;
    /// The ids of a recorded resource that must be there.
    fn ids(&self, resource: &Json) -> Vec<String>;
    /// How long a run takes, about, until one is measured.
    fn length(&self) -> Duration;
    /// Faults that hit some of the next calls.
    fn disturb(&self, folder: &Folder, random: &mut Random);
}

/// Endpoints and routers of the simulated cloud.
struct Sim;

impl World for Sim {
    fn configuration(&self, version: u64) -> String {
        let mut text = format!(
            "model \"m\" {{\n  version = \"{version}\"\n  image = \"i\"\n}}\n\
             resource \"isobar_data\" \"wide\" {{\n  count = {}\n  input = {version}\n}}\n",
            10 + version
        );
        for (number, region) in ["sim-us-east", "sim-eu-central"].iter().enumerate() {
            text += &format!(
                "zone \"z{number}\" {{\n  provider = sim\n  region = \"{region}\"\n}}\n\
                 deployment \"d{number}\" {{\n  model = model.m\n  zones = [zone.z{number}]\n  \
                 replicas = {{ z{number} = {} }}\n}}\n",
                1 + version % 3
            );
        }
        text
    }

    fn there(&self, folder: &Folder) -> BTreeSet<String> {
        let Ok(text) = std::fs::read_to_string(folder.path("cloud.json")) else {
            return BTreeSet::new();
        };
        let world: Json = serde_json::from_str(&text).unwrap();
        let kinds = ["endpoints", "routers"].iter();
        let kinds = kinds.filter_map(|kind| world[*kind].as_object());
        kinds.flat_map(|found| found.keys().cloned()).collect()
    }

    fn ids(&self, resource: &Json) -> Vec<String> {
        let address = resource["address"].as_str().unwrap();
        let id = resource["value"]["id"].as_str();
        let id = id.filter(|_| address.contains(".sim_"));
        id.map(str::to_owned).into_iter().collect()
    }

    fn length(&self) -> Duration {
        Duration::from_millis(140)
    }

    fn disturb(&self, folder: &Folder, random: &mut Random) {
        let path = folder.path("cloud.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            return;
        };
        let mut world: Json = serde_json::from_str(&text).unwrap();
        let mut faults = Vec::new();
        for _ in 0..random.below(4) {
            let call = ["create", "update", "delete", "read"][random.below(4) as usize];
            let made = world["calls"][call].as_u64().unwrap_or_default();
            let fault = match random.below(6) {
                0 => json!({"kind": "throttled"}),
                1 => json!({"kind": "throttled", "after": 1}),
                2 => json!({"kind": "timeout_before"}),
                3 => json!({"kind": "timeout_after"}),
                4 => json!({"kind": "server_error"}),
                _ => json!({"kind": "partial", "replicas": 0}),
            };
            faults.push(json!({"call": call, "nth": made + 1 + random.below(4), "fault": fault}));
        }
        world["faults"] = faults.into();
        std::fs::write(path, world.to_string()).unwrap();
    }
}

/// Replicas and gateways as processes.
struct Local;

/// What a replica does before it serves: it takes one of the faults that lie about, if there is
/// one, so that each hits once.
const REPLICA: &str = "\
    fault=$(ls -d fault.* 2>/dev/null | head -n 1); \
    if [ -n \\\"$fault\\\" ] && mv \\\"$fault\\\" taken.$$ 2>/dev/null; then \
        kind=$(cat taken.$$); rm taken.$$; \
        case $kind in dies) exit 3;; slow) sleep 0.3;; hangs) exec sleep 60;; esac; \
    fi; \
    exec python3 -m http.server {port} --bind 127.0.0.1";

impl World for Local {
    fn configuration(&self, version: u64) -> String {
        format!(
            "zone \"here\" {{\n  provider = local\n}}\n\
             resource \"local_replica_set\" \"r\" {{\n  name = \"r\"\n  zone = \"here\"\n  \
             version = \"{}\"\n  replicas = {}\n  health_path = \"/\"\n  startup = 5\n  \
             command = [\"sh\", \"-c\", \"{REPLICA}\"]\n}}\n\
             resource \"local_gateway\" \"g\" {{\n  name = \"r\"\n  zone = \"here\"\n  \
             routes = {{ (local_replica_set.r.version) = 1 }}\n}}\n",
            version / 2,
            1 + version % 3,
        )
    }

    fn there(&self, folder: &Folder) -> BTreeSet<String> {
        let marked = folder
            .path("")
            .to_string_lossy()
            .trim_end_matches('/')
            .to_owned();
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let ours = processes.filter(|entry| {
            let cwd = std::fs::read_link(entry.path().join("cwd"));
            cwd.is_ok_and(|cwd| cwd.starts_with(&marked)) && runs(&entry.path())
        });
        let names = ours.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| name.parse::<u32>().is_ok()).collect()
    }

    fn ids(&self, resource: &Json) -> Vec<String> {
        let value = &resource["value"];
        let instances = value["instances"].as_array().into_iter().flatten();
        let all = instances
            .chain([value])
            .filter_map(|one| one["pid"].as_u64());
        all.map(|pid| pid.to_string()).collect()
    }

    fn length(&self) -> Duration {
        Duration::from_millis(700)
    }

    /// Replicas that die at once, are late, or never answer.
    fn disturb(&self, folder: &Folder, random: &mut Random) {
        for number in 0..random.below(3) {
            let kind = ["dies", "dies", "slow", "slow", "hangs"][random.below(5) as usize];
            folder.write(&format!("fault.{number}"), kind);
        }
    }
}

/// Whether a process is more than an entry that no one has asked for.
fn runs(process: &Path) -> bool {
    let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| state != 'Z')
}

/// When a run is killed.
#[derive(Debug, Clone, Copy)]
enum Instant {
    /// So long after its start.
    Started(Duration),
    /// So long after its journal was begun.
    Begun(Duration),
}

impl Instant {
    /// One within a run that takes so long.
    fn within(length: Duration, random: &mut Random) -> Self {
        let micros = u64::try_from(length.as_micros()).unwrap();
        match random.below(2) {
            0 => Self::Started(Duration::from_micros(random.below(micros))),
            _ => Self::Begun(Duration::from_micros(random.below(micros / 2))),
        }
    }

    /// Waits for it, or for the end of the process.
    fn wait(self, process: &mut Child, journal: &Path) {
        let mut runs = || process.try_wait().unwrap().is_none();
        let pause = || std::thread::sleep(Duration::from_millis(1));
        let after = match self {
            Self::Started(after) => after,
            Self::Begun(after) => {
                while runs() && !journal.exists() {
                    pause();
                }
                after
            }
        };
        let from = Clock::now();
        while from.elapsed() < after && runs() {
            pause();
        }
    }
}

/// Runs the program and kills it; gives whether that came before its end.
fn kill(folder: &Folder, arguments: &[&str], instant: Instant) -> (bool, Run) {
    let mut process = folder.program(arguments).spawn().unwrap();
    instant.wait(&mut process, &folder.path(".isobar/journal"));
    let _ = process.kill();
    let output = process.wait_with_output().unwrap();
    let run = Run {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    (output.status.signal() == Some(9), run)
}

/// The state, which can be read at any time.
fn state(folder: &Folder) -> Option<Json> {
    let pulled = folder.run(&["state", "pull"]);
    let text = pulled.ended(0);
    assert!(!pulled.err.contains("cannot be acted on"), "{pulled:?}");
    (!text.is_empty()).then(|| serde_json::from_str(text).unwrap())
}

fn recorded(world: &dyn World, state: Option<&Json>) -> BTreeSet<String> {
    let resources = state.and_then(|state| state["resources"].as_array());
    let resources = resources.into_iter().flatten();
    let deposed = state.and_then(|state| state["deposed"].as_array());
    let all = resources.chain(deposed.into_iter().flatten());
    all.flat_map(|resource| world.ids(resource)).collect()
}

/// One life: some versions one after the other and then nothing, each killed once or twice on
/// its way and then brought to its end.
fn life(world: &dyn World, seed: u64, seen: &mut Seen) {
    let mut random = Random(seed);
    let folder = Folder::new(&[]);
    let steps = 2 + random.below(2);
    let mut length = world.length();
    for step in 0..=steps {
        let gone = step == steps;
        folder.write("main.hcl", &world.configuration(random.below(6)));
        let command = if gone { "destroy" } else { "apply" };
        let arguments = [command, "-auto-approve"];
        for _ in 0..=random.below(2) {
            world.disturb(&folder, &mut random);
            let instant = Instant::within(length, &mut random);
            let (killed, run) = kill(&folder, &arguments, instant);
            seen.killed += u32::from(killed);
            seen.ended += u32::from(!killed);
            seen.failed += u32::from(run.code == Some(1));
            let left = state(&folder);
            let pending = left.as_ref().and_then(|state| state["pending"].as_object());
            seen.pending += u32::from(pending.is_some_and(|pending| !pending.is_empty()));
        }
        world.disturb(&folder, &mut random);
        length = bring_to_its_end(&folder, &arguments, seen).max(world.length());
        let left = state(&folder);
        let (there, recorded) = (world.there(&folder), recorded(world, left.as_ref()));
        assert_eq!(
            there, recorded,
            "seed {seed}, step {step}: there and recorded"
        );
        if gone {
            assert!(there.is_empty(), "seed {seed}: {there:?} is left");
        } else {
            let again = folder.run(&["plan", "-detailed-exitcode"]);
            assert_eq!(
                again.code,
                Some(0),
                "seed {seed}, step {step}: {}",
                again.out
            );
        }
    }
}

/// Runs the program until it succeeds; gives how long that run took. A fault may make a run fail;
/// each is gone once it has hit.
fn bring_to_its_end(folder: &Folder, arguments: &[&str], seen: &mut Seen) -> Duration {
    let mut last = None;
    for _ in 0..7 {
        let began = Clock::now();
        let run = folder.run(arguments);
        if run.code == Some(0) {
            return began.elapsed();
        }
        seen.failed += 1;
        last = Some(run);
    }
    panic!("it does not get done: {last:?}");
}

/// Says which seed fails, also where an assertion does not.
fn lives(world: &dyn World, seeds: Range<u64>) {
    let mut seen = Seen::default();
    for seed in seeds.clone() {
        let lived = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            life(world, seed, &mut seen);
        }));
        if let Err(failure) = lived {
            println!("ISOBAR_KILLS={seed}..{} shows it again", seed + 1);
            std::panic::resume_unwind(failure);
        }
        // A long run that is ended early has still counted.
        let lived = seed + 1 - seeds.start;
        if lived.is_multiple_of(10) || seed + 1 == seeds.end {
            println!("seeds {}..{}: {seen:?}", seeds.start, seed + 1);
        }
    }
    assert!(seen.killed > 0);
}

#[test]
fn nothing_is_lost_in_a_cloud_with_faults() {
    lives(&Sim, seeds(0..20));
}

#[test]
fn no_process_is_lost_where_some_do_not_start() {
    lives(&Local, seeds(0..4));
}
