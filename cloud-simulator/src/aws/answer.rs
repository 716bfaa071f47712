//! Answers and errors as the services write them.

use serde_json::{Value, json};

use super::{Service, identity};
use crate::engine::Fault;

/// How an answer gets to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// As usual.
    Whole,
    /// Not at all: the connection breaks.
    Reset,
    /// After so many milliseconds.
    Late(u32),
    /// Half of the body at once, the rest after so many milliseconds.
    Halved(u32),
}

/// What is sent back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How it gets there.
    pub delivery: Delivery,
}

impl Answer {
    fn json(status: u16, value: &Value) -> Self {
        let body = if value.is_null() {
            Vec::new()
        } else {
            value.to_string().into_bytes()
        };
        Self::new(status, "application/x-amz-json-1.1", body)
    }

    fn new(status: u16, kind: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: vec![("content-type", kind.to_owned())],
            body,
            delivery: Delivery::Whole,
        }
    }

    /// The answer to a call that was carried out. `Null` is an answer without a body.
    pub(super) fn success(service: Service, operation: &str, value: &Value) -> Self {
        match service {
            Service::SageMaker | Service::Autoscaling | Service::Quotas => Self::json(200, value),
            Service::Identity => {
                let text = identity::document(operation, value);
                Self::new(200, "text/xml", text.into_bytes())
            }
        }
    }

    /// The answer with what a fault does to its way.
    pub(super) fn delivered(mut self, fault: Option<Fault>) -> Self {
        self.delivery = match fault {
            Some(Fault::ResetBefore | Fault::ResetAfter) => Delivery::Reset,
            Some(Fault::Slow(milliseconds)) => Delivery::Late(milliseconds),
            Some(Fault::SlowBody(milliseconds)) => Delivery::Halved(milliseconds),
            Some(
                Fault::ServerError
                | Fault::Throttled
                | Fault::Expired
                | Fault::Denied
                | Fault::Unseen,
            )
            | None => Delivery::Whole,
        };
        self
    }
}

/// An error of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// What the services answer to most that is wrong with a request.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", message)
    }

    /// The error that a fault stands for, if it stands for one.
    pub(super) fn of_fault(fault: Fault, service: Service, operation: &str) -> Option<Self> {
        let internal = match service {
            Service::Autoscaling => "InternalServiceException",
            Service::Quotas => "ServiceException",
            Service::SageMaker | Service::Identity => "InternalFailure",
        };
        match fault {
            Fault::ServerError => {
                let message = "The simulator was told to fail.";
                Some(Self::new(500, internal, message))
            }
            Fault::Throttled => Some(Self::new(400, "ThrottlingException", "Rate exceeded")),
            Fault::Expired => Some(Self::expired()),
            Fault::Denied => Some(Self::denied(service, operation)),
            Fault::ResetBefore
            | Fault::ResetAfter
            | Fault::Slow(_)
            | Fault::SlowBody(_)
            | Fault::Unseen => None,
        }
    }

    pub(super) fn expired() -> Self {
        let message = "The security token included in the request is expired";
        Self::new(400, "ExpiredTokenException", message)
    }

    fn denied(service: Service, operation: &str) -> Self {
        let action = format!("{}:{operation}", service.name());
        let message = format!(
            "User: simulator is not authorized to perform: {action} because no identity-based \
             policy allows the {action} action"
        );
        Self::new(400, "AccessDeniedException", message)
    }

    pub(super) fn answer(&self, service: Service) -> Answer {
        if service == Service::Identity {
            let text = identity::error(self);
            return Answer::new(self.status, "text/xml", text.into_bytes());
        }
        let text = match service {
            Service::SageMaker | Service::Identity => "message",
            Service::Autoscaling | Service::Quotas => "Message",
        };
        let mut answer = Answer::json(
            self.status,
            &json!({ "__type": self.code, text: self.message }),
        );
        answer
            .headers
            .push(("x-amzn-errortype", self.code.to_owned()));
        answer
    }
}
