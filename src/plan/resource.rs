//! Resources in the walk: every instance of a block to the change that it needs.

use isobar_sdk::schema::Schema;
use isobar_sdk::{Address, Diagnostic, Diagnostics, Error, ErrorKind, Value};

use super::adopt::adopt;
use super::drive::{Block, Driver};
use super::instance::{Configured, changed_attributes};
use super::{PlannedChange, nouns, outline};
use crate::change::{Cause, Change, Reason};
use crate::eval::{Ambient, decode};
use crate::language::Declaration;
use crate::language::lifecycle::Lifecycle;
use crate::state::{Life, Status};

/// An instance as its block configures it.
pub(super) struct Item<'a> {
    pub(super) address: Address,
    pub(super) provider: String,
    pub(super) schema: &'a Schema,
    pub(super) configuration: Value,
    /// What the provider calls it, if it is to be imported.
    pub(super) import: Option<String>,
    /// What its block says about its life.
    pub(super) lifecycle: &'a Lifecycle,
    /// Whether something that it is replaced together with is replaced or changed.
    pub(super) triggered: bool,
    pub(super) life: Life,
    pub(super) dependencies: Vec<Address>,
}

impl<'r> Driver<'r> {
    /// The provider and the schema of a block's type; what is wrong with either is reported.
    pub(super) fn resource_kind(
        &mut self,
        declaration: &Declaration,
    ) -> Option<(&'static str, &'r Schema)> {
        let registry = self.request.registry;
        let Some((kind, schema)) = registry.resource(&declaration.kind) else {
            self.diagnostics
                .push(super::unregistered::resource(declaration, registry));
            return None;
        };
        if let Some(named) = &declaration.provider
            && *named.name.name != *kind
        {
            let detail = format!(
                "{:?} is a resource of provider {kind:?}, not of {:?}.",
                declaration.kind, named.name.name
            );
            let diagnostic = Diagnostic::error("P0015", "Provider does not have this type", detail);
            self.diagnostics.push(
                diagnostic
                    .at(&named.span)
                    .help("Remove provider, or correct the type."),
            );
            return None;
        }
        let ignored = outline::check_ignored(declaration, &schema.body);
        let sound = ignored.is_empty();
        for diagnostic in ignored {
            self.diagnostics.push(diagnostic);
        }
        sound.then_some((kind, schema))
    }

    /// An instance as its block configures it, with warnings.
    pub(super) fn item<'b>(
        &self,
        block: &Block<'b>,
        (address, ambient): (Address, &Ambient),
        (kind, schema): (&str, &'b Schema),
        import: Option<String>,
        dependencies: &[Address],
    ) -> Result<(Item<'b>, Diagnostics), Diagnostics> {
        let declaration = block.declaration;
        let life = self.life(block, ambient).map_err(|fault| *fault)?;
        let triggered = self.triggered(block, ambient).map_err(|fault| *fault)?;
        let Some(scope) = self.frames.get(&block.module) else {
            return Err(Diagnostics::new());
        };
        let header = &declaration.header;
        let mut found = Diagnostics::new();
        let scope = (scope, ambient);
        let configuration = decode(&declaration.body, &schema.body, header, scope, &mut found);
        if found.has_errors() {
            return Err(found);
        }
        let provider = self.provider_of(block, ambient, kind).map_err(|f| *f)?;
        let item = Item {
            address,
            provider,
            schema,
            configuration,
            import,
            lifecycle: &declaration.lifecycle,
            triggered,
            life,
            dependencies: dependencies.to_vec(),
        };
        Ok((item, found))
    }

    /// Proposes the change of one instance.
    pub(super) async fn instance(&self, item: Item<'_>) -> Result<PlannedChange, Error> {
        let Some(provider) = self.providers.get(&item.provider) else {
            return Err(Error::unavailable(format!(
                "provider {:?} is not configured",
                item.provider
            )));
        };
        let recorded = self.state.instances.get(&item.address);
        let (prior, importing) = match (self.prior(&item.address), item.import) {
            (None, Some(id)) if recorded.is_none() => {
                let found = adopt(&**provider, item.schema, &item.address, &id).await?;
                (Some(found), Some(id))
            }
            // A part of a deployment, which was looked at before.
            (Some(found), Some(id)) if recorded.is_none() => (Some(found), Some(id)),
            (prior, _) => (prior, None),
        };
        let configured = Configured {
            address: &item.address,
            provider: &**provider,
            schema: item.schema,
            configuration: &item.configuration,
            ignore: &item.lifecycle.ignore_changes,
        };
        let tainted = recorded.is_some_and(|instance| instance.status == Status::Tainted);
        let asked = self.request.selection.replaces(&item.address);
        let forced = match (tainted, asked, item.triggered) {
            (true, ..) => Some(Reason::Tainted),
            (false, _, true) => Some(Reason::Triggered),
            (false, true, false) => Some(Reason::Requested),
            (false, false, false) => None,
        };
        let (change, reason) = configured.classify(prior.as_ref(), forced).await?;
        let causes = self.causes(&item.address, item.schema, &change);
        Ok(PlannedChange {
            provider: item.provider,
            schema_version: item.schema.version,
            importing,
            change,
            reason,
            causes,
            life: item.life,
            dependencies: item.dependencies,
            wires: None,
        })
    }

    /// Where the differences of a change come from, as far as the state tells.
    fn causes(&self, address: &Address, schema: &Schema, change: &Change) -> Vec<Cause> {
        let Some(recorded) = self.state.instances.get(address) else {
            return Vec::new();
        };
        let (Some(before), Some(after)) = (change.before(), change.after()) else {
            return if change.before().is_none() {
                vec![Cause::Gone]
            } else {
                Vec::new()
            };
        };
        if matches!(change, Change::Keep { .. }) {
            return Vec::new();
        }
        let cause = |attribute: String| {
            let was = recorded
                .attributes
                .field(&attribute)
                .cloned()
                .unwrap_or(Value::NULL);
            let is = before.field(&attribute).cloned().unwrap_or(Value::NULL);
            if was.reveal_all() == is.reveal_all() {
                // What only the provider sets follows from the rest.
                let known = schema.body.attributes.get(attribute.as_str());
                let computed = known.is_some_and(|known| !known.is_configurable());
                return (!computed).then_some(Cause::Configuration { attribute });
            }
            Some(Cause::Drift {
                attribute,
                recorded: was,
                observed: is,
            })
        };
        changed_attributes(before.value(), after)
            .into_iter()
            .filter_map(cause)
            .collect()
    }
}

/// The diagnostic for a provider's refusal.
pub(super) fn provider_diagnostic(
    declaration: &Declaration,
    address: &Address,
    error: Error,
) -> Diagnostic {
    let steps = match &error.kind {
        ErrorKind::Invalid { path } => path.steps(),
        _ => &[],
    };
    let span = nouns::place(&declaration.body, steps, &declaration.header);
    let mut diagnostic = Diagnostic::error(
        "P0012",
        "Provider refused the change",
        isobar_sdk::diagnostic::sentence(&error.message),
    )
    .at(&span)
    .within(&declaration.header)
    .about(address);
    diagnostic.help = error.help;
    diagnostic
}
