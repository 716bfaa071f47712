//! The suite on trial: an honest provider passes, and each way to cheat breaks its law.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::{Case, Law, Report, Subject, Violation, run};
use crate::fake::Fake;
use crate::provider::{Apply, BoxFuture, Operation, Outcome, PlanChange, Planned};
use crate::schema::{Attribute, Body, ProviderSchema, Schema};
use crate::{Address, Error, Factory, Known, Path, Provider, Type, Value};

type Things = Arc<Mutex<BTreeMap<String, Known>>>;

struct Workshop {
    schema: ProviderSchema,
    provider: Arc<dyn Provider>,
}

impl Factory for Workshop {
    fn name(&self) -> &'static str {
        "workshop"
    }

    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    fn configure<'a>(&'a self, _: &'a Known) -> BoxFuture<'a, Result<Arc<dyn Provider>, Error>> {
        Box::pin(async { Ok(Arc::clone(&self.provider)) })
    }
}

fn schema() -> ProviderSchema {
    let body = Body::new()
        .attribute(
            "name",
            Attribute::required(Type::String, "Its name.").replaces(),
        )
        .attribute(
            "size",
            Attribute::required(Type::Number, "Its size, at least 0."),
        )
        .attribute("id", Attribute::computed(Type::String, "Its id."));
    let thing = Schema {
        version: 1,
        body,
        doc: "A thing.".into(),
    };
    ProviderSchema {
        resources: [("thing".to_owned(), thing)].into(),
        ..ProviderSchema::default()
    }
}

fn honest_plan(request: PlanChange) -> Result<Planned, Error> {
    let size = request.proposed.field("size").and_then(Value::as_number);
    if size.is_some_and(|size| size.as_f64() < 0.0) {
        return Err(Error::invalid(Path::attribute("size"), "below 0"));
    }
    Ok(request.proposed.into())
}

fn honest_apply(things: &Things, request: &Apply) -> Outcome {
    let mut things = things.lock().unwrap();
    let (id, planned) = match &request.operation {
        Operation::Create { planned } => (request.key.to_string(), planned),
        Operation::Update { prior, planned } => (id(prior), planned),
        Operation::Delete { prior } => {
            things.remove(&id(prior));
            return Outcome::Done(None);
        }
    };
    let state = Known::new(planned.with_field("id", id.as_str().into())).unwrap();
    things.insert(id, state.clone());
    Outcome::Done(Some(state))
}

fn id(state: &Known) -> String {
    state
        .field("id")
        .and_then(Value::as_str)
        .unwrap()
        .to_owned()
}

fn honest(things: &Things) -> Fake {
    let [reading, applying, importing] = [(); 3].map(|()| Arc::clone(things));
    Fake::new()
        .on_read(move |request| Ok(reading.lock().unwrap().get(&id(&request.prior)).cloned()))
        .on_plan(honest_plan)
        .on_apply(move |request| honest_apply(&applying, &request))
        .on_import(move |id| Ok(importing.lock().unwrap().get(&id).cloned()))
}

fn thing(name: &str, size: i64) -> Value {
    Value::object([("name", Value::from(name)), ("size", size.into())])
}

async fn trial(
    schema: ProviderSchema,
    cheat: impl FnOnce(Fake, Things) -> Fake,
) -> Result<Report, Violation> {
    let things = Things::default();
    let provider = Arc::new(cheat(honest(&things), Arc::clone(&things)));
    let case = Case::new(Address::new("thing", "a"), thing("a", 1))
        .update(thing("a", 2))
        .replace(thing("b", 2))
        .invalid(thing("a", -1), Path::attribute("size"))
        .disturb(move |state| {
            let things = Arc::clone(&things);
            Box::pin(async move {
                let smaller = state.value().with_field("size", 0_i64.into());
                let smaller = Known::new(smaller).unwrap();
                things.lock().unwrap().insert(id(&state), smaller);
            })
        });
    let workshop = Workshop { schema, provider };
    let subject = Subject {
        factory: &workshop,
        configuration: Known::empty(),
        cases: vec![case],
        placed: Vec::new(),
    };
    run(&subject).await
}

#[tokio::test]
async fn an_honest_provider_passes_and_every_law_is_tried() {
    let report = trial(schema(), |fake, _| fake).await.unwrap();
    let untried: Vec<Law> = Law::ALL
        .into_iter()
        .filter(|law| !report.held.contains_key(law))
        .collect();
    // The first two hold where nothing fails; lowering has tests of its own.
    let expected = [
        Law::Configurable,
        Law::Applies,
        Law::Lowers,
        Law::LoweredFitsSchema,
        Law::LoweredIsClosed,
    ];
    assert_eq!(untried, expected);
}

#[tokio::test]
async fn a_schema_without_words_is_caught() {
    let mut silent = schema();
    silent.resources.get_mut("thing").unwrap().doc.clear();
    let violation = trial(silent, |fake, _| fake).await.unwrap_err();
    assert_eq!(violation.law, Law::Documented);
    assert!(violation.to_string().contains("thing has no documentation"));
}

/// Applies honestly, then changes the result and stores it.
fn afterwards(
    fake: Fake,
    things: Things,
    change: impl Fn(&Apply, Value) -> Value + Send + Sync + 'static,
) -> Fake {
    fake.on_apply(move |request| match honest_apply(&things, &request) {
        Outcome::Done(Some(state)) => {
            let changed = Known::new(change(&request, state.into_value())).unwrap();
            things.lock().unwrap().insert(id(&changed), changed.clone());
            Outcome::Done(Some(changed))
        }
        other => other,
    })
}

type Cheat = fn(Fake, Things) -> Fake;

const CHEATS: [(Law, Cheat); 12] = [
    (Law::InvalidIsBlamed, |fake, _| {
        fake.on_plan(|request| Ok(request.proposed.into()))
    }),
    (Law::UnknownStaysConsistent, |fake, _| {
        fake.on_plan(|request| {
            let guess = request.proposed.field("size").unwrap().is_unknown();
            let planned = honest_plan(request)?.after;
            Ok(if guess {
                planned.with_field("size", 0_i64.into())
            } else {
                planned
            }
            .into())
        })
    }),
    (Law::PlanFitsSchema, |fake, _| {
        fake.on_plan(|request| {
            Ok(honest_plan(request)?
                .after
                .with_field("more", true.into())
                .into())
        })
    }),
    (Law::PlanKeepsConfiguration, |fake, _| {
        fake.on_plan(|request| {
            Ok(honest_plan(request)?
                .after
                .with_field("name", "x".into())
                .into())
        })
    }),
    (Law::PlanWritesNothing, |fake, things| {
        fake.on_plan(move |request| {
            if let Some(prior) = &request.prior {
                let bumped = prior.value().with_field("size", 9_i64.into());
                things
                    .lock()
                    .unwrap()
                    .insert(id(prior), Known::new(bumped).unwrap());
            }
            honest_plan(request)
        })
    }),
    (Law::Applies, |fake, _| {
        fake.on_apply(|_| Outcome::Failed(Error::unavailable("no")))
    }),
    (Law::PlanIsKept, |fake, things| {
        afterwards(fake, things, |_, state| {
            state.with_field("size", 7_i64.into())
        })
    }),
    (Law::ResultFitsSchema, |fake, things| {
        afterwards(fake, things, |_, state| {
            state.with_field("size", "1".into())
        })
    }),
    (Law::SameKeySameThing, |fake, things| {
        let count = Mutex::new(0);
        afterwards(fake, things, move |request, state| {
            *count.lock().unwrap() += 1;
            let id = format!("{}-{}", request.key, count.lock().unwrap());
            state.with_field("id", id.into())
        })
    }),
    (Law::ReadSeesResult, |fake, _| fake.on_read(|_| Ok(None))),
    (Law::ImportSeesResult, |fake, _| {
        fake.on_import(|_| Ok(None))
    }),
    (Law::DeleteDeletes, |fake, things| {
        fake.on_apply(move |request| match request.operation {
            Operation::Delete { .. } => Outcome::Done(None),
            _ => honest_apply(&things, &request),
        })
    }),
];

#[tokio::test]
async fn each_cheat_breaks_its_law() {
    for (law, cheat) in CHEATS {
        let violation = trial(schema(), cheat).await.unwrap_err();
        assert_eq!(violation.law, law, "{violation}");
    }
}
