//! Keeps a gateway's routes and replicas up to date.
//!
//! Files are polled, not watched: a few small files five times a second cost next to nothing,
//! and polling works on every file system.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;

use super::config::Config;
use super::pool::{Pool, Replica};
use super::proxy::Gateway;
use crate::http::{self, Client, Connections, NoAnswer};
use crate::registration::{Registration, Registry};

/// How often files are looked at, and replicas that are not ready asked again.
const LOOK: Duration = Duration::from_millis(200);
/// How often replicas that are ready are asked whether they still are.
const CHECK: Duration = Duration::from_secs(1);
/// How long a replica may take to say that it is ready.
const PATIENCE: Duration = Duration::from_secs(1);

/// Follows the files and asks the replicas, for ever.
pub(super) async fn follow(config: PathBuf, gateway: Arc<Gateway>) {
    let client = http::client(Connections::Fresh);
    let mut checked: Option<Instant> = None;
    loop {
        // A configuration that cannot be read right now leaves the last one in force.
        if let Ok(config) = Config::read(&config) {
            gateway.pool.replace(&registrations(&config.replicas));
            gateway.take(&config);
        }
        let all_are_due = checked.is_none_or(|checked| checked.elapsed() >= CHECK);
        if all_are_due {
            checked = Some(Instant::now());
        }
        check(&client, &gateway.pool, |replica| {
            all_are_due || !replica.is_ready()
        })
        .await;
        tokio::time::sleep(LOOK).await;
    }
}

/// Every replica of every version. A folder that cannot be read has none.
fn registrations(zone: &Path) -> Vec<Registration> {
    let folders = fs::read_dir(zone).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = folders.map(|folder| folder.path()).collect();
    paths.sort();
    let registries = paths.into_iter().map(Registry::new);
    registries
        .flat_map(|registry| registry.all().unwrap_or_default())
        .collect()
}

async fn check(client: &Client, pool: &Pool, is_due: impl Fn(&Replica) -> bool) {
    let replicas = pool.replicas();
    let due = replicas.iter().filter(|replica| is_due(replica));
    join_all(due.map(|replica| ask(client, replica))).await;
}

async fn ask(client: &Client, replica: &Replica) {
    let answer = http::get(client, replica.address, &replica.health_path, PATIENCE).await;
    match answer {
        Ok((status, _)) if status.is_success() => replica.up(),
        Ok((status, _)) => replica.down(format!("its health path answers {status}")),
        Err(error @ NoAnswer::Connection(_)) => replica.down(error.to_string()),
        Err(error @ NoAnswer::Late(_)) => replica.late(error.to_string()),
    }
}
