//! What a service answers in place of a result, by what is to be done about it.

use std::fmt;
use std::time::Duration;

use isobar_sdk::{Error, ErrorKind, Path};
use serde::Deserialize;

use crate::service::Service;

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The kind that the service gives it, such as `ValidationException`; empty where it gave none.
    pub(crate) code: String,
    /// The error as the provider tells it.
    pub(crate) error: Error,
}

/// The body of a refusal. The kind may have a namespace before it, and the message either case.
#[derive(Debug, Default, Deserialize)]
struct Refusal {
    #[serde(rename = "__type", default)]
    kind: String,
    #[serde(alias = "Message", default)]
    message: String,
}

impl Fault {
    /// What an answer that is no success means.
    pub(crate) fn of_answer(
        (service, operation): (Service, &str),
        (status, after): (u16, Option<Duration>),
        (header, body): (Option<&str>, &[u8]),
    ) -> Self {
        let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
        let kind = match refusal.kind.as_str() {
            "" => header.unwrap_or_default(),
            kind => kind,
        };
        // `com.amazon.coral.service#ThrottlingException`, `ThrottlingException:http://…`
        let code = kind.rsplit('#').next().unwrap_or_default();
        let code = code.split(':').next().unwrap_or_default().to_owned();
        let said = [code.as_str(), refusal.message.trim()].join(": ");
        let said = said.trim_matches([':', ' ']);
        let what = match said {
            "" => format!("{} answers {operation} with {status}", service.name()),
            said => format!(
                "{} answers {operation} with {status}, {said}",
                service.name()
            ),
        };
        let kind = kind_of(&code, &refusal.message, (status, after));
        let error = Error::new(kind.clone(), what);
        let error = match help(&kind, &code) {
            Some(help) => error.help(help),
            None => error,
        };
        Self { code, error }
    }

    /// There is no answer: nothing is known about what became of the call.
    pub(crate) fn no_answer(service: Service, operation: &str, why: &str) -> Self {
        let message = format!("{} does not answer {operation}: {why}", service.name());
        Self {
            code: String::new(),
            error: Error::unavailable(message),
        }
    }

    /// The call was not made, since it could not be signed.
    pub(crate) fn unsigned(service: Service, operation: &str, why: &dyn fmt::Display) -> Self {
        let message = format!("{operation} of {} cannot be signed: {why}", service.name());
        Self {
            code: String::new(),
            error: Error::new(ErrorKind::Denied, message).help(
                "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or profile in the provider block",
            ),
        }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        self.error.kind == ErrorKind::NotFound
    }

    pub(crate) fn is_conflict(&self) -> bool {
        self.error.kind == ErrorKind::Conflict
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        fault.error
    }
}

/// SageMaker tells what is missing and what is there already with the same code as what makes no
/// sense; only the message tells them apart.
fn kind_of(code: &str, message: &str, (status, after): (u16, Option<Duration>)) -> ErrorKind {
    let says = |texts: &[&str]| {
        let message = message.to_ascii_lowercase();
        texts.iter().any(|text| message.contains(text))
    };
    if status == 429 || code.contains("Throttl") || THROTTLED.contains(&code) {
        return ErrorKind::Throttled { after };
    }
    if code.contains("LimitExceeded") || code == "ServiceQuotaExceededException" {
        return ErrorKind::Quota;
    }
    if matches!(status, 401 | 403) || DENIED.contains(&code) {
        return ErrorKind::Denied;
    }
    // Another change of the same thing is under way, or its rights have not arrived everywhere.
    if status >= 500 || PASSING.contains(&code) || says(&NOT_YET) {
        return ErrorKind::Unavailable;
    }
    if status == 404 || NOT_FOUND.contains(&code) || says(&MISSING) {
        return ErrorKind::NotFound;
    }
    if matches!(code, "ResourceInUse" | "ConflictException") || says(&THERE) {
        return ErrorKind::Conflict;
    }
    ErrorKind::Invalid { path: Path::root() }
}

const THROTTLED: [&str; 5] = [
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "SlowDown",
    "EC2ThrottledException",
];
const DENIED: [&str; 8] = [
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];
const PASSING: [&str; 6] = [
    "ConcurrentUpdateException",
    "InternalFailure",
    "InternalServiceException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
];
const NOT_FOUND: [&str; 3] = [
    "ObjectNotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
];
const MISSING: [&str; 5] = [
    "could not find",
    "no scalable target found",
    "no scaling policy found",
    "no scheduled action found",
    "does not exist",
];
const THERE: [&str; 2] = ["already existing", "already exists"];
const NOT_YET: [&str; 3] = [
    "cannot update in-progress",
    "could not assume role",
    "could not access model data",
];

fn help(kind: &ErrorKind, code: &str) -> Option<&'static str> {
    match kind {
        ErrorKind::Denied if code.starts_with("Expired") => {
            Some("get new credentials, and try again")
        }
        ErrorKind::Denied => Some(
            "check which credentials are used (environment, profile, machine) and what they allow",
        ),
        ErrorKind::Quota => {
            Some("ask for more under Service Quotas of this region, or set limits on the zone")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use isobar_sdk::ErrorKind;
    use serde_json::json;

    use super::{Fault, Service};

    fn kind(status: u16, code: &str, message: &str) -> ErrorKind {
        let body = json!({ "__type": code, "message": message }).to_string();
        let call = (Service::SageMaker, "DescribeEndpoint");
        Fault::of_answer(call, (status, None), (None, body.as_bytes()))
            .error
            .kind
    }

    /// Messages as the service words them.
    #[test]
    fn one_code_stands_for_several_kinds() {
        let kind = |message| kind(400, "ValidationException", message);
        let missing = "Could not find endpoint \"arn:aws:sagemaker:eu-west-1:1:endpoint/a\".";
        assert_eq!(kind(missing), ErrorKind::NotFound);
        let twice =
            "Cannot create already existing endpoint \"arn:aws:sagemaker:eu-west-1:1:endpoint/a\".";
        assert_eq!(kind(twice), ErrorKind::Conflict);
        let busy =
            "Cannot update in-progress endpoint \"arn:aws:sagemaker:eu-west-1:1:endpoint/a\".";
        assert_eq!(kind(busy), ErrorKind::Unavailable);
        assert!(matches!(
            kind("1 validation error detected"),
            ErrorKind::Invalid { .. }
        ));
    }

    #[test]
    fn codes_come_with_namespaces_in_headers_and_in_either_case() {
        let throttled = ErrorKind::Throttled { after: None };
        let spaced = "com.amazon.coral.availability#ThrottlingException";
        assert_eq!(kind(400, spaced, "Rate exceeded"), throttled);
        assert_eq!(
            kind(400, "ResourceLimitExceeded", "0 of ml.g5.xlarge"),
            ErrorKind::Quota
        );
        assert_eq!(kind(403, "SignatureDoesNotMatch", ""), ErrorKind::Denied);
        assert_eq!(
            kind(400, "ObjectNotFoundException", ""),
            ErrorKind::NotFound
        );
        assert_eq!(kind(500, "", ""), ErrorKind::Unavailable);
        let call = (Service::AutoScaling, "RegisterScalableTarget");
        let header = Some("ConcurrentUpdateException:http://internal/");
        let body = br#"{"Message":"again"}"#;
        let fault = Fault::of_answer(call, (400, None), (header, body));
        assert_eq!(fault.code, "ConcurrentUpdateException");
        assert_eq!(fault.error.kind, ErrorKind::Unavailable);
        assert_eq!(
            fault.error.message,
            "Application Auto Scaling answers RegisterScalableTarget with 400, ConcurrentUpdateException: again"
        );
    }

    #[test]
    fn a_page_in_place_of_an_answer_is_no_answer() {
        let call = (Service::SageMaker, "UpdateEndpoint");
        let fault = Fault::of_answer(call, (500, None), (None, b"<!doctype html>"));
        assert_eq!(
            fault.error.message,
            "SageMaker answers UpdateEndpoint with 500"
        );
        assert!(fault.error.is_transient());
    }
}
