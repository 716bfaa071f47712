//! Data sources: what they tell when the plan is made, or that they are asked at apply.

use isobar_sdk::provider::LookUp;
use isobar_sdk::schema::Schema;
use isobar_sdk::{Address, Diagnostic, Diagnostics, Error, Known, Provider, Value};

use super::Refresh;
use super::drive::{Block, Driver};
use super::resource::provider_diagnostic;
use crate::change::Action;
use crate::eval::{Ambient, decode};
use crate::event::Event;

const SILENT: &str = "Data source does not answer";

/// What an instance of a data source tells.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRead {
    /// The local name of its provider.
    pub provider: String,
    /// What it tells; unknown where it is asked at apply.
    pub after: Value,
    /// Why it is asked at apply, if it is.
    pub deferred: Option<Deferred>,
}

/// Why a data source is asked at apply, only or again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deferred {
    /// Its configuration is not known before.
    ConfigurationUnknown,
    /// Something that it names in `depends_on` changes before.
    DependencyPending,
    /// It stands in a check, which looks again when everything is done.
    AskedByCheck,
}

impl Driver<'_> {
    pub(super) async fn data(&mut self, block: &Block<'_>) {
        let declaration = block.declaration;
        let registry = self.request.registry;
        let Some((kind, schema)) = registry.data_source(&declaration.kind) else {
            let unknown = super::unregistered::data(declaration, registry);
            return self.diagnostics.push(unknown);
        };
        let Some(instances) = self.expand(block) else {
            return;
        };
        for (key, ambient) in instances {
            let address = block.address().instance(key);
            let Some(configuration) = self.configuration(block, schema, &ambient) else {
                return;
            };
            let provider = match self.provider_of(block, &ambient, kind) {
                Ok(provider) => provider,
                Err(fault) => return self.diagnostics.push(*fault),
            };
            if !self.preconditions(block, &ambient, &address) {
                continue;
            }
            let Some(read) = self
                .read(block, (&address, schema), provider, &configuration)
                .await
            else {
                return;
            };
            if let Some(scope) = self.frames.get_mut(&block.module) {
                scope.set_instance(&address, read.after.clone());
            }
            self.postconditions(block, &ambient, (&address, &read.after));
            self.reads.insert(address, read);
        }
    }

    /// Asks for an instance, or leaves that for apply; `None` where the provider does not tell.
    async fn read(
        &mut self,
        block: &Block<'_>,
        (address, schema): (&Address, &Schema),
        provider: String,
        configuration: &Value,
    ) -> Option<PlannedRead> {
        let deferred = if !configuration.is_wholly_known() {
            Some(Deferred::ConfigurationUnknown)
        } else if self.waits(block) {
            Some(Deferred::DependencyPending)
        } else {
            None
        };
        let proposed = || schema.body.propose(None, configuration);
        let after = match deferred {
            Some(_) => proposed(),
            None => match self.told(&provider, address, schema, configuration).await {
                Ok(told) => told,
                Err(error) => {
                    let diagnostic = Diagnostic {
                        code: "P0044",
                        summary: SILENT,
                        ..provider_diagnostic(block.declaration, address, error)
                    };
                    let check = block.declaration.check.as_ref();
                    let Some(check) = check else {
                        self.diagnostics.push(diagnostic);
                        return None;
                    };
                    self.failed_to_ask(block, check, diagnostic);
                    proposed()
                }
            },
        };
        let again = block.declaration.check.as_ref();
        let again = again.map(|_| Deferred::AskedByCheck);
        Some(PlannedRead {
            provider,
            after,
            deferred: deferred.or(again),
        })
    }

    /// What an instance of a block is configured to be; what is wrong is reported.
    fn configuration(
        &mut self,
        block: &Block<'_>,
        schema: &Schema,
        ambient: &Ambient,
    ) -> Option<Value> {
        let declaration = block.declaration;
        let scope = (self.frames.get(&block.module)?, ambient);
        let mut found = Diagnostics::new();
        let header = &declaration.header;
        let value = decode(&declaration.body, &schema.body, header, scope, &mut found);
        let failed = found.has_errors();
        self.diagnostics.extend(found);
        (!failed).then_some(value)
    }

    /// Whether something that the block names in `depends_on` changes.
    fn waits(&self, block: &Block<'_>) -> bool {
        if block.declaration.depends_on.is_empty() {
            return false;
        }
        let behind = self.names.resources_behind(block.node);
        let changes = self.changes.iter().filter(|(_, planned)| {
            !matches!(planned.change.action(), Action::Keep | Action::Forget)
        });
        let mut changing = changes.map(|(address, _)| address.everywhere());
        changing.any(|address| behind.contains(&address))
    }

    /// What a data source tells; it is not asked twice for one plan.
    async fn told(
        &mut self,
        provider: &str,
        address: &Address,
        schema: &Schema,
        configuration: &Value,
    ) -> Result<Value, Error> {
        if let Some((asked, told)) = self.answers.get(address)
            && asked == configuration
        {
            return Ok(told.clone());
        }
        let told = self.ask(provider, address, schema, configuration).await?;
        if self.request.refresh == Refresh::Minimal {
            let answer = (configuration.clone(), told.clone());
            self.answers.insert(address.clone(), answer);
        }
        Ok(told)
    }

    async fn ask(
        &self,
        provider: &str,
        address: &Address,
        schema: &Schema,
        configuration: &Value,
    ) -> Result<Value, Error> {
        let provider = self.providers.get(provider).ok_or_else(|| {
            Error::unavailable(format!("provider {provider:?} is not configured"))
        })?;
        self.sink.emit(Event::RefreshStart {
            address: address.clone(),
        });
        let told = look_up(&**provider, address, schema, configuration).await;
        self.sink.emit(Event::RefreshComplete {
            address: address.clone(),
        });
        told
    }
}

/// What a data source tells, with the marks of its configuration and its schema.
///
/// # Errors
/// What the provider says.
pub async fn look_up(
    provider: &dyn Provider,
    address: &Address,
    schema: &Schema,
    configuration: &Value,
) -> Result<Value, Error> {
    let marks = configuration.sensitive_paths();
    let configuration = Known::new(configuration.reveal_all())
        .map_err(|_| Error::unavailable("the configuration is not known"))?;
    let request = LookUp {
        address: address.clone(),
        configuration,
    };
    let told = provider.look_up(request).await?;
    Ok(schema.body.spread_marks(&told.value().mark(&marks)))
}

/// The diagnostic for a data source that could not be asked at apply.
#[must_use]
pub fn not_told(address: &Address, error: &Error) -> Diagnostic {
    let message = isobar_sdk::diagnostic::sentence(&error.message);
    let mut diagnostic = Diagnostic::error("A0007", SILENT, message).about(address);
    diagnostic.help.clone_from(&error.help);
    diagnostic
}
