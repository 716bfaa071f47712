//! What all lists have in common: filters, order and pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::shape;
use super::time;

/// Entries of a page where the request does not say.
const PAGE: usize = 10;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Query {
    sort_by: Option<String>,
    sort_order: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
    name_contains: Option<String>,
    creation_time_after: Option<Value>,
    creation_time_before: Option<Value>,
    last_modified_time_after: Option<Value>,
    last_modified_time_before: Option<Value>,
    status_equals: Option<String>,
}

/// Something that a list may have.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) status: &'static str,
    pub(super) summary: Value,
}

/// Where a page ended. Lists change between pages, so this is a place in their order, not a
/// number of entries.
type Mark = (String, Timestamp, String);

impl Entry {
    fn mark(&self, sort_by: &str) -> Mark {
        let status = if sort_by == "Status" { self.status } else { "" };
        let created = if sort_by == "Name" {
            Timestamp::MIN
        } else {
            self.created
        };
        (status.to_owned(), created, self.name.clone())
    }

    fn fits(&self, query: &Query) -> Result<bool, Failure> {
        let after = |bound: &Option<Value>, of: Timestamp| bounded(bound, |bound| of >= bound);
        let before = |bound: &Option<Value>, of: Timestamp| bounded(bound, |bound| of < bound);
        let named = query.name_contains.as_ref();
        let status = query.status_equals.as_ref();
        Ok(named.is_none_or(|part| self.name.contains(part.as_str()))
            && status.is_none_or(|status| status == self.status)
            && after(&query.creation_time_after, self.created)?
            && before(&query.creation_time_before, self.created)?
            && after(&query.last_modified_time_after, self.modified)?
            && before(&query.last_modified_time_before, self.modified)?)
    }
}

fn bounded(bound: &Option<Value>, holds: impl Fn(Timestamp) -> bool) -> Result<bool, Failure> {
    let Some(bound) = bound else {
        return Ok(true);
    };
    let wrong = || Failure::new(400, "SerializationException", format!("{bound} is no time"));
    Ok(holds(time(bound).ok_or_else(wrong)?))
}

/// The page of `entries` that the request asks for, as member `member`.
pub(super) fn page(
    body: Value,
    member: &str,
    entries: impl Iterator<Item = Entry>,
) -> Result<Value, Failure> {
    let query: Query = shape::decode(body)?;
    let sort_by = query.sort_by.as_deref().unwrap_or("CreationTime");
    let descending = query.sort_order.as_deref().unwrap_or("Descending") == "Descending";
    let mut fitting = Vec::new();
    for entry in entries {
        if entry.fits(&query)? {
            fitting.push((entry.mark(sort_by), entry.summary));
        }
    }
    let order = |left: &Mark, right: &Mark| match descending {
        true => right.cmp(left),
        false => left.cmp(right),
    };
    fitting.sort_by(|(left, _), (right, _)| order(left, right));
    if let Some(token) = &query.next_token {
        let last = decode(token).ok_or_else(|| Failure::validation("Invalid NextToken."))?;
        fitting.retain(|(mark, _)| order(mark, &last).is_gt());
    }
    let size = query.max_results.unwrap_or(PAGE).max(1);
    let more = fitting.len() > size;
    fitting.truncate(size);
    let next = fitting
        .last()
        .filter(|_| more)
        .map(|(mark, _)| encode(mark));
    let summaries: Vec<Value> = fitting.into_iter().map(|(_, summary)| summary).collect();
    let mut answer = json!({ member: summaries });
    if let Some(next) = next {
        answer["NextToken"] = next.into();
    }
    Ok(answer)
}

fn encode((status, created, name): &Mark) -> String {
    URL_SAFE_NO_PAD.encode(format!("{status}/{}/{name}", created.as_nanosecond()))
}

fn decode(token: &str) -> Option<Mark> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let mut parts = text.splitn(3, '/');
    let status = parts.next()?.to_owned();
    let created = Timestamp::from_nanosecond(parts.next()?.parse().ok()?).ok()?;
    Some((status, created, parts.next()?.to_owned()))
}
