//! Makes providers for accounts.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use isobar_sdk::clock::Runtime;
use isobar_sdk::limit::{Allowance, Limits};
use isobar_sdk::provider::BoxFuture;
use isobar_sdk::schema::ProviderSchema;
use isobar_sdk::{Error, Factory, Known, Provider};

use crate::account::{self, Account};
use crate::endpoint::Pace;
use crate::kind::Kind;
use crate::provider::Aws;
use crate::{data_source, target};

/// Calls that look under way at the same time.
const LOOKS: usize = 10;
/// Changes under way at the same time: most of their time they wait for an endpoint.
const CHANGES: usize = 64;
/// Calls that may be made at once after a rest.
const BURST: u32 = 20;
/// Ten calls a second, which is what SageMaker allows for most operations that look.
const INTERVAL: Duration = Duration::from_millis(100);

/// Makes providers with the credentials of the environment.
#[must_use]
pub fn factory() -> AwsFactory {
    AwsFactory {
        schema: schema(),
        credentials: None,
        pace: Pace::default(),
    }
}

/// Makes providers.
pub struct AwsFactory {
    schema: ProviderSchema,
    credentials: Option<SharedCredentialsProvider>,
    pace: Pace,
}

impl AwsFactory {
    /// With this access key in place of the credentials of the environment.
    #[must_use]
    pub fn with_key(mut self, id: &str, secret: &str) -> Self {
        let key = Credentials::new(id, secret, None, None, "given");
        self.credentials = Some(SharedCredentialsProvider::new(key));
        self
    }

    /// That looks this often whether an endpoint has come to rest, and waits no longer than this.
    #[must_use]
    pub const fn with_pace(mut self, every: Duration, longest: Duration) -> Self {
        self.pace = Pace { every, longest };
        self
    }
}

fn schema() -> ProviderSchema {
    let resources = Kind::ALL
        .into_iter()
        .map(|kind| (kind.name().to_owned(), kind.schema()));
    ProviderSchema {
        configuration: account::schema(),
        zone: target::zone(),
        resources: resources.collect(),
        data_sources: data_source::schemas(),
    }
}

impl Factory for AwsFactory {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn limits(&self) -> Limits {
        let calls = |in_flight| Allowance {
            in_flight: NonZeroUsize::new(in_flight).unwrap_or(NonZeroUsize::MIN),
            interval: INTERVAL,
            burst: NonZeroU32::new(BURST).unwrap_or(NonZeroU32::MIN),
        };
        Limits {
            reads: calls(LOOKS),
            changes: calls(CHANGES),
            offers: calls(LOOKS),
        }
    }

    fn configure<'a>(
        &'a self,
        configuration: &'a Known,
    ) -> BoxFuture<'a, Result<Arc<dyn Provider>, Error>> {
        Box::pin(async move {
            let clock = Arc::new(Runtime::start());
            let account = Account::open(configuration, self.credentials.clone(), clock).await?;
            let aws = Aws {
                account,
                pace: self.pace,
            };
            Ok(Arc::new(aws) as Arc<dyn Provider>)
        })
    }
}
