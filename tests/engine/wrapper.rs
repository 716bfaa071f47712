//! Providers between the engine and the real ones: they spoil, refuse or hold calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use isobar_sdk::deployment::{Offers, Target};
use isobar_sdk::limit::Limits;
use isobar_sdk::provider::{Apply, BoxFuture, Import, LookUp, Outcome, PlanChange, Planned, Read};
use isobar_sdk::schema::ProviderSchema;
use isobar_sdk::{Error, ErrorKind, Factory, Known, Provider};
use tokio::sync::Notify;

use crate::workspace::Workspace;

type Wrap = dyn Fn(Arc<dyn Provider>) -> Arc<dyn Provider> + Send + Sync;

/// Makes the providers of another factory, wrapped.
struct Wrapped {
    inner: Arc<dyn Factory>,
    wrap: Arc<Wrap>,
}

impl Factory for Wrapped {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn schema(&self) -> &ProviderSchema {
        self.inner.schema()
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn configure<'a>(
        &'a self,
        configuration: &'a Known,
    ) -> BoxFuture<'a, Result<Arc<dyn Provider>, Error>> {
        Box::pin(async { Ok((self.wrap)(self.inner.configure(configuration).await?)) })
    }
}

/// A workspace whose every provider is wrapped each time it is configured.
pub(crate) fn workspace(
    wrap: impl Fn(Arc<dyn Provider>) -> Arc<dyn Provider> + Send + Sync + 'static,
) -> Workspace {
    let wrap: Arc<Wrap> = Arc::new(wrap);
    Workspace::wrapped(|inner| {
        Arc::new(Wrapped {
            inner,
            wrap: Arc::clone(&wrap),
        })
    })
}

/// What happens to an apply.
pub(crate) enum Turn {
    /// It goes through.
    Through,
    /// It is refused and changes nothing.
    Refused,
    /// It never returns, and changes nothing.
    HeldBefore,
    /// It never returns, but is made.
    HeldAfter,
}

type Decide = dyn Fn(&Apply) -> Turn + Send + Sync;

/// A workspace in which `decide` rules on every apply; the notification is given when one is
/// held.
pub(crate) fn ruled(
    decide: impl Fn(&Apply) -> Turn + Send + Sync + 'static,
) -> (Workspace, Arc<Notify>) {
    let (decide, held): (Arc<Decide>, _) = (Arc::new(decide), Arc::new(Notify::new()));
    let tell = Arc::clone(&held);
    let wrap = move |inner| {
        let (decide, held) = (Arc::clone(&decide), Arc::clone(&tell));
        Arc::new(Ruled {
            inner,
            decide,
            held,
        }) as Arc<dyn Provider>
    };
    (workspace(wrap), held)
}

struct Ruled {
    inner: Arc<dyn Provider>,
    decide: Arc<Decide>,
    held: Arc<Notify>,
}

impl Ruled {
    async fn hold(&self) -> Outcome {
        self.held.notify_one();
        std::future::pending().await
    }
}

impl Provider for Ruled {
    fn read(&self, request: Read) -> BoxFuture<'_, Result<Option<Known>, Error>> {
        self.inner.read(request)
    }

    fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>> {
        self.inner.plan(request)
    }

    fn apply(&self, request: Apply) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            match (self.decide)(&request) {
                Turn::Through => self.inner.apply(request).await,
                Turn::Refused => Outcome::Failed(Error::new(ErrorKind::Denied, "not allowed")),
                Turn::HeldBefore => self.hold().await,
                Turn::HeldAfter => {
                    self.inner.apply(request).await;
                    self.hold().await
                }
            }
        })
    }

    fn import(&self) -> Option<&dyn Import> {
        self.inner.import()
    }

    fn offers(&self) -> Option<&dyn Offers> {
        self.inner.offers()
    }

    fn target(&self) -> Option<&dyn Target> {
        self.inner.target()
    }
}

/// How many plans and look-ups are under way at the same time, at most.
#[derive(Default)]
pub(crate) struct Crowd {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Crowd {
    /// The most so far.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    /// Lets a call through after a while.
    async fn pass<T>(&self, call: impl Future<Output = T>) -> T {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let result = call.await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        result
    }
}

/// A workspace whose providers take their time to plan and to look things up.
pub(crate) fn slow() -> (Workspace, Arc<Crowd>) {
    let crowd = Arc::new(Crowd::default());
    let counted = Arc::clone(&crowd);
    let wrap = move |inner| {
        let crowd = Arc::clone(&counted);
        Arc::new(Slow { inner, crowd }) as Arc<dyn Provider>
    };
    (workspace(wrap), crowd)
}

struct Slow {
    inner: Arc<dyn Provider>,
    crowd: Arc<Crowd>,
}

impl Provider for Slow {
    fn read(&self, request: Read) -> BoxFuture<'_, Result<Option<Known>, Error>> {
        self.inner.read(request)
    }

    fn plan(&self, request: PlanChange) -> BoxFuture<'_, Result<Planned, Error>> {
        Box::pin(self.crowd.pass(self.inner.plan(request)))
    }

    fn look_up(&self, request: LookUp) -> BoxFuture<'_, Result<Known, Error>> {
        Box::pin(self.crowd.pass(self.inner.look_up(request)))
    }

    fn apply(&self, request: Apply) -> BoxFuture<'_, Outcome> {
        self.inner.apply(request)
    }
}

/// Counts applies down and holds the one that it ends with.
#[derive(Clone, Default)]
pub(crate) struct Fuse(Arc<AtomicI64>);

impl Fuse {
    /// Holds the `nth` apply from now on: 1 is the next one, 0 none.
    pub(crate) fn set(&self, nth: i64) {
        self.0.store(nth, Ordering::SeqCst);
    }

    /// Whether this apply is the one.
    pub(crate) fn burns_down(&self) -> bool {
        self.0.fetch_sub(1, Ordering::SeqCst) == 1
    }
}
