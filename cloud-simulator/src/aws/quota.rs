//! Service Quotas: how many instances of a type may be at endpoints.
//!
//! Only types that have a limit are told of. The codes are not those of AWS, which nobody can
//! work out; a client finds them by the name of a quota.

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::Failure;
use super::{Context, shape};

/// Quotas of a page, at most, where the request does not say.
const PAGE: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    service_code: String,
    quota_code: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

impl Query {
    fn has(&self, instance_type: &str) -> bool {
        let wanted = self.quota_code.as_ref();
        wanted.is_none_or(|wanted| *wanted == code(instance_type))
    }
}

fn code(instance_type: &str) -> String {
    let digest = Sha256::digest(instance_type.as_bytes());
    let hex: String = digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02X}"))
        .collect();
    format!("L-{hex}")
}

pub(super) fn answer(
    context: &Context<'_>,
    operation: &str,
    body: Value,
) -> Result<Value, Failure> {
    let query: Query = shape::decode(body)?;
    let missing = |what: String| Failure::new(400, "NoSuchResourceException", what);
    if query.service_code != "sagemaker" {
        let what = format!("The service {} is not known here.", query.service_code);
        return Err(missing(what));
    }
    let all = context.region.quotas.iter();
    let all = all.filter(|(instance_type, _)| query.has(instance_type));
    let mut all = all.map(|(instance_type, limit)| quota(context, instance_type, *limit));
    match operation {
        "GetServiceQuota" => match all.next() {
            Some(quota) => Ok(json!({ "Quota": quota })),
            None => Err(missing(
                "The request failed because the specified quota does not exist.".to_owned(),
            )),
        },
        "ListServiceQuotas" => page(&query, all.collect()),
        other => Err(Failure::new(400, "UnknownOperationException", other)),
    }
}

fn quota(context: &Context<'_>, instance_type: &str, limit: u32) -> Value {
    let (region, account) = (context.region_name, context.account);
    let code = code(instance_type);
    json!({
        "ServiceCode": "sagemaker",
        "ServiceName": "Amazon SageMaker",
        "QuotaArn": format!("arn:aws:servicequotas:{region}:{account}:sagemaker/{code}"),
        "QuotaCode": code,
        "QuotaName": format!("{instance_type} for endpoint usage"),
        "Value": f64::from(limit),
        "Unit": "None",
        "Adjustable": true,
        "GlobalQuota": false,
    })
}

fn page(query: &Query, all: Vec<Value>) -> Result<Value, Failure> {
    let wrong = |_| Failure::new(400, "InvalidPaginationTokenException", "Invalid NextToken.");
    let start = query
        .next_token
        .as_deref()
        .map_or(Ok(0), str::parse::<usize>);
    let start = start.map_err(wrong)?;
    let end = start.saturating_add(query.max_results.unwrap_or(PAGE).max(1));
    let more = all.len() > end;
    let quotas = all.into_iter().take(end).skip(start);
    let mut answer = json!({ "Quotas": quotas.collect::<Vec<_>>() });
    if more {
        answer["NextToken"] = end.to_string().into();
    }
    Ok(answer)
}
