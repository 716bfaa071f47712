//! The face of AWS: requests as its clients sign and write them, to calls of the engine and back.

mod answer;
mod autoscaling;
mod contract;
mod identity;
mod quota;
mod sagemaker;
mod shape;
mod signature;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use answer::{Answer, Delivery};
pub use contract::{Contract, ContractError};

use crate::engine::{Fault, Moment, Region, World};
use answer::Failure;

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// What requests are signed with.
    pub secret: String,
    /// What must be sent beside the signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Whether it was good once and is not any more.
    #[serde(default)]
    pub expired: bool,
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// Names in small letters, and values, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(of, _)| of == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// A service by the name that signatures have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    SageMaker,
    Autoscaling,
    Quotas,
    Identity,
}

impl Service {
    const fn name(self) -> &'static str {
        match self {
            Self::SageMaker => "sagemaker",
            Self::Autoscaling => "application-autoscaling",
            Self::Quotas => "servicequotas",
            Self::Identity => "sts",
        }
    }

    /// As the contract calls it.
    const fn contract_name(self) -> &'static str {
        match self {
            Self::Quotas => "service-quotas",
            Self::SageMaker | Self::Autoscaling | Self::Identity => self.name(),
        }
    }
}

/// What operations work on.
struct Context<'a> {
    account: &'a str,
    region_name: &'a str,
    region: &'a mut Region,
    moment: Moment,
}

/// What a request was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exchange {
    /// The region of its signature; empty where that was no good.
    pub region: String,
    /// The operation; empty where there is none of that name.
    pub operation: String,
    /// The status of the answer.
    pub status: u16,
    /// The code of the error; empty where there was none.
    pub code: String,
    /// What was done to it by a rule or a limit.
    pub fault: Option<Fault>,
}

/// One account, and what is known of the services' contract.
#[derive(Debug)]
pub struct Aws {
    /// Twelve digits.
    pub account: String,
    /// By identifier.
    pub keys: BTreeMap<String, Key>,
    /// What requests and answers are held against, where it is at hand.
    pub contract: Option<Contract>,
}

impl Aws {
    /// Answers a request.
    pub fn answer(&self, world: &mut World, request: &Request) -> (Answer, Exchange) {
        let mut exchange = Exchange {
            region: String::new(),
            operation: String::new(),
            status: 200,
            code: String::new(),
            fault: None,
        };
        let Some((service, operation)) = asked_for(request) else {
            let failure = Failure::new(404, "UnknownOperationException", "");
            return finish(failure.answer(Service::SageMaker), Some(&failure), exchange);
        };
        exchange.operation = operation.to_owned();
        let caller = signature::verify(request, &self.keys, service);
        let region = match caller {
            Ok(region) => region,
            Err(failure) => {
                return finish(failure.answer(service), Some(&failure), exchange);
            }
        };
        exchange.region.clone_from(&region);
        let fault = world.admit(operation);
        exchange.fault = fault;
        let refusal = fault.and_then(|fault| Failure::of_fault(fault, service, operation));
        let result = match refusal {
            Some(refusal) => Err(refusal),
            None if fault == Some(Fault::ResetBefore) => Ok(Value::Null),
            None => {
                let what = (service, operation, fault);
                self.carry_out(world, what, &region, &request.body)
            }
        };
        let failure = result.as_ref().err().cloned();
        let answer = match result {
            Ok(value) => Answer::success(service, operation, &value),
            Err(failure) => failure.answer(service),
        };
        finish(answer.delivered(fault), failure.as_ref(), exchange)
    }

    fn carry_out(
        &self,
        world: &mut World,
        (service, operation, fault): (Service, &str, Option<Fault>),
        region_name: &str,
        body: &[u8],
    ) -> Result<Value, Failure> {
        if service == Service::Identity {
            return identity::answer(operation, &self.account);
        }
        let body = shape::parse(body)?;
        shape::check(service, operation, &body)?;
        let name = format!("{}.{operation}", service.contract_name());
        let contract = self.contract.as_ref();
        contract.map_or(Ok(()), |contract| contract.check_request(&name, &body))?;
        let (region, moment) = world.at(region_name);
        let context = Context {
            account: &self.account,
            region_name,
            region,
            moment,
        };
        if fault == Some(Fault::Unseen)
            && let Some(unseen) = sagemaker::unseen(&context, operation, &body)
        {
            return Err(unseen);
        }
        let answer = match service {
            Service::SageMaker => sagemaker::answer(context, operation, body)?,
            Service::Autoscaling => autoscaling::answer(context, operation, body)?,
            Service::Quotas => quota::answer(&context, operation, body)?,
            Service::Identity => Value::Null,
        };
        // What rules want at once happens before anyone looks again.
        world.advance(world.clock);
        contract.map_or(Ok(()), |contract| contract.check_answer(&name, &answer))?;
        Ok(answer)
    }
}

fn finish(answer: Answer, failure: Option<&Failure>, mut exchange: Exchange) -> (Answer, Exchange) {
    exchange.status = answer.status;
    exchange.code = failure
        .map(|failure| failure.code.to_owned())
        .unwrap_or_default();
    (answer, exchange)
}

/// The service and the operation, if both are known.
fn asked_for(request: &Request) -> Option<(Service, &str)> {
    if let Some(target) = request.header("x-amz-target") {
        let (prefix, operation) = target.split_once('.')?;
        let service = match prefix {
            "SageMaker" => Service::SageMaker,
            "AnyScaleFrontendService" => Service::Autoscaling,
            "ServiceQuotasV20190624" => Service::Quotas,
            _ => return None,
        };
        return shape::is_known(service, operation).then_some((service, operation));
    }
    let body = std::str::from_utf8(&request.body).ok()?;
    let action = body
        .split('&')
        .find_map(|pair| pair.strip_prefix("Action="))?;
    identity::OPERATIONS
        .contains(&action)
        .then_some((Service::Identity, action))
}
