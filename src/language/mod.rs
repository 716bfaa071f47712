//! HCL text to [`Config`]: syntax with spans, no values.

pub mod body;
pub mod config;
pub mod expression;
mod incomplete;
mod lower;
pub mod noun;
mod parse;
pub mod reference;
pub mod source;
pub mod types;
mod version;

pub use body::{Attribute, Block, Body};
pub use config::{Config, Declaration};
pub use expression::{Expression, Located};
pub use incomplete::is_incomplete;
pub use parse::{expression as parse_expression, file as parse_file};
pub use reference::Reference;
pub use source::Sources;

use isobar_sdk::Diagnostics;

/// Parses all configuration files of a folder into one configuration.
///
/// Everything wrong is reported, not only the first; what could be understood is returned.
#[must_use]
pub fn load(sources: &Sources) -> (Config, Diagnostics) {
    let mut config = Config::default();
    let mut diagnostics = Diagnostics::new();
    for (file, text) in sources.configuration() {
        let (body, found) = parse_file(file, text);
        diagnostics.extend(found);
        config.add_file(body, &mut diagnostics);
    }
    let required = config
        .settings
        .as_ref()
        .and_then(|s| s.required_version.as_ref());
    if let Some(Err(diagnostic)) =
        required.map(|attribute| version::check(attribute, env!("CARGO_PKG_VERSION")))
    {
        diagnostics.push(*diagnostic);
    }
    (config, diagnostics)
}
