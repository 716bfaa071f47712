//! HCL text to [`Config`]: syntax with spans, no values.

mod backend;
pub mod body;
pub mod check;
pub mod config;
pub mod dynamic;
mod encryption;
mod escape;
pub mod expression;
mod flaw;
mod incomplete;
mod items;
pub mod lifecycle;
pub mod locator;
mod lower;
pub mod module;
pub mod noun;
pub mod origin;
mod parse;
pub mod reference;
pub mod source;
pub mod statement;
mod take;
pub mod text;
pub mod trial;
mod trim;
pub mod types;
mod version;

pub use backend::BackendBlock;
pub use body::{Attribute, Block, Body};
pub use config::{Config, Declaration};
pub use encryption::{EncryptionBlock, KeyBlock};
pub use escape::quoted as unescape;
pub use expression::{Expression, Located};
pub use incomplete::{is_blank, is_incomplete};
pub use module::NOT_INSTALLED;
pub use origin::Origin;
pub use parse::{
    expression as parse_expression, file as parse_file, files as parse_files,
    template as parse_template,
};
pub use reference::Reference;
pub use source::Sources;
pub use take::{literal_text, unsupported_attribute};
pub use version::Constraint;

use std::sync::Arc;

use isobar_sdk::Diagnostics;

/// Parses all configuration files into one configuration, modules below those that call them.
///
/// Everything wrong is reported, not only the first; what could be understood is returned.
#[must_use]
pub fn load(sources: &Sources) -> (Config, Diagnostics) {
    load_folder(sources, "")
}

/// Loads the configuration of one folder of the sources, with all that it calls.
#[must_use]
pub fn load_folder(sources: &Sources, folder: &str) -> (Config, Diagnostics) {
    let mut loader = module::Loader::new(sources);
    let config = loader.folder(folder);
    let mut diagnostics = loader.finish();
    let config = Arc::unwrap_or_clone(config);
    for (_, module) in config.modules() {
        let settings = module.settings.as_ref();
        let required = settings.and_then(|s| s.required_version.as_ref());
        if let Some(Err(diagnostic)) =
            required.map(|attribute| version::check(attribute, env!("CARGO_PKG_VERSION")))
        {
            diagnostics.push(*diagnostic);
        }
    }
    (config, diagnostics)
}
