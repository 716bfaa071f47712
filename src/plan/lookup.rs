//! Data sources: what they tell when the plan is made, or that they are asked at apply.

use std::sync::Arc;

use isobar_sdk::provider::LookUp;
use isobar_sdk::schema::Schema;
use isobar_sdk::{Address, Diagnostic, Diagnostics, Error, Known, Provider, Value};

use super::Refresh;
use super::batch::{Batch, at_once};
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

/// An instance of a data source that may be asked.
pub(super) struct Question<'a> {
    block: Arc<Block<'a>>,
    schema: &'a Schema,
    address: Address,
    ambient: Ambient,
    provider: String,
    configuration: Value,
    deferred: Option<Deferred>,
}

impl<'a> Driver<'a> {
    /// Takes the instances of a data source into a batch.
    pub(super) fn gather_data(&mut self, block: Block<'a>, batch: &mut Batch<'a>) {
        let declaration = block.declaration;
        let registry = self.request.registry;
        let Some((kind, schema)) = registry.data_source(&declaration.kind) else {
            let unknown = super::unregistered::data(declaration, registry);
            return self.diagnostics.push(unknown);
        };
        let Some(instances) = self.expand(&block) else {
            return;
        };
        let waits = self.waits(&block);
        let block = Arc::new(block);
        for (key, ambient) in instances {
            let address = block.address().instance(key);
            let Some(configuration) = self.configuration(&block, schema, &ambient) else {
                return;
            };
            let provider = match self.provider_of(&block, &ambient, kind) {
                Ok(provider) => provider,
                Err(fault) => return self.diagnostics.push(*fault),
            };
            if !self.preconditions(&block, &ambient, &address) {
                continue;
            }
            let deferred = if !configuration.is_wholly_known() {
                Some(Deferred::ConfigurationUnknown)
            } else if waits {
                Some(Deferred::DependencyPending)
            } else {
                None
            };
            batch.questions.push(Question {
                block: Arc::clone(&block),
                schema,
                address,
                ambient,
                provider,
                configuration,
                deferred,
            });
        }
    }

    /// Asks what has come together, at the same time, and takes the answers up in order. What comes
    /// behind the first instance of a block that does not answer is left out.
    pub(super) async fn ask_all(&mut self, batch: &mut Batch<'a>) {
        let questions = std::mem::take(&mut batch.questions);
        let ask = |question| self.told(question);
        let answers = at_once(&questions, self.at_once().get(), ask).await;
        let mut stopped: Option<&Arc<Block<'_>>> = None;
        for (question, answer) in questions.iter().zip(answers) {
            if stopped.is_some_and(|block| Arc::ptr_eq(block, &question.block)) {
                continue;
            }
            if !self.answered(question, answer) {
                stopped = Some(&question.block);
            }
            self.tell(question.block.node, batch);
        }
    }

    /// Takes up what a data source tells, `None` where it is asked at apply; false where it does
    /// not tell.
    fn answered(&mut self, question: &Question<'a>, answer: Option<Result<Value, Error>>) -> bool {
        let Question {
            block,
            schema,
            address,
            ambient,
            configuration,
            ..
        } = question;
        let proposed = || schema.body.propose(None, configuration);
        let check = block.declaration.check.as_ref();
        let after = match answer {
            None => proposed(),
            Some(Ok(told)) => {
                if self.request.refresh == Refresh::Minimal {
                    let answer = (configuration.clone(), told.clone());
                    self.answers.insert(address.clone(), answer);
                }
                told
            }
            Some(Err(error)) => {
                let diagnostic = Diagnostic {
                    code: "P0044",
                    summary: SILENT,
                    ..provider_diagnostic(block.declaration, address, error)
                };
                let Some(check) = check else {
                    self.diagnostics.push(diagnostic);
                    return false;
                };
                self.failed_to_ask(block, check, diagnostic);
                proposed()
            }
        };
        if let Some(scope) = self.frames.get_mut(&block.module) {
            scope.set_instance(address, after.clone());
        }
        self.postconditions(block, ambient, (address, &after));
        let again = check.map(|_| Deferred::AskedByCheck);
        let read = PlannedRead {
            provider: question.provider.clone(),
            after,
            deferred: question.deferred.or(again),
        };
        self.reads.insert(address.clone(), read);
        true
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

    /// What a data source tells; it is not asked twice for one plan, and not at all where that is
    /// left for apply.
    async fn told(&self, question: &Question<'_>) -> Option<Result<Value, Error>> {
        if question.deferred.is_some() {
            return None;
        }
        if let Some((asked, told)) = self.answers.get(&question.address)
            && *asked == question.configuration
        {
            return Some(Ok(told.clone()));
        }
        Some(self.ask(question).await)
    }

    async fn ask(&self, question: &Question<'_>) -> Result<Value, Error> {
        let Question {
            provider,
            address,
            schema,
            configuration,
            ..
        } = question;
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
