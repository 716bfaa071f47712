//! The charts of a plan, into a folder or a file.

use std::collections::BTreeMap;
use std::path::Path;

use isobar_sdk::diagnostic::sentence;
use isobar_sdk::{Diagnostic, Fault};

use super::delivery::Delivery;
use super::session::Session;
use crate::plan::Plan;
use crate::render;

/// Draws the deployments of a plan: all of them into a folder, or the only one into a file.
pub(super) fn draw(session: &Session, plan: &Plan, path: &Path) -> Result<(), Fault> {
    let charts = render::prospects(plan);
    let file = path == Path::new("-") || path.extension().is_some_and(|end| end == "svg");
    if !file {
        return fill(session, &charts, path);
    }
    let mut all = charts.iter();
    match (all.next(), all.next()) {
        (Some((_, chart)), None) => deliver(session, path, chart),
        _ => Err(not_one(&charts).into()),
    }
}

/// Writes a file for each chart; the folder is made where it is not there.
fn fill(session: &Session, charts: &BTreeMap<&str, String>, folder: &Path) -> Result<(), Fault> {
    let place = session.path(folder);
    std::fs::create_dir_all(&place).map_err(|error| {
        let detail = format!("{}: {}", place.display(), sentence(&error.to_string()));
        Diagnostic::error("C0064", "File cannot be written", detail)
            .help("Name a folder that you may write to.")
    })?;
    for (name, chart) in charts {
        deliver(session, &folder.join(format!("{name}.svg")), chart)?;
    }
    Ok(())
}

/// Writes a text where it belongs and tells where that is.
pub(super) fn deliver(session: &Session, file: &Path, text: &str) -> Result<(), Fault> {
    let mut delivery = Delivery::open(session, file)?;
    delivery.write(text)?;
    if let Some(place) = delivery.finish()? {
        session
            .shell
            .say(&format!("Written to {}.", place.display()));
    }
    Ok(())
}

fn not_one(charts: &BTreeMap<&str, String>) -> Diagnostic {
    let names: Vec<&str> = charts.keys().copied().collect();
    let detail = match names.as_slice() {
        [] => "No deployment of the plan follows a forecast.".to_owned(),
        names => format!(
            "A file holds the chart of one deployment, and there are {}.",
            names.join(", ")
        ),
    };
    Diagnostic::error("C0143", "Not one deployment to draw", detail)
        .help("Name a folder, as in -svg=charts, for a file of each.")
}
