//! STS, which speaks of the caller in forms and XML.

use serde_json::{Value, json};

use super::answer::Failure;

/// What is answered.
pub(super) const OPERATIONS: [&str; 1] = ["GetCallerIdentity"];

pub(super) fn answer(operation: &str, account: &str) -> Result<Value, Failure> {
    match operation {
        "GetCallerIdentity" => Ok(json!({
            "Arn": format!("arn:aws:iam::{account}:user/simulator"),
            "UserId": "AIDASIMULATOR",
            "Account": account,
        })),
        other => Err(Failure::new(
            400,
            "InvalidAction",
            format!("no operation {other}"),
        )),
    }
}

/// The answer as a document. Its texts are our own and need no escapes.
pub(super) fn document(operation: &str, answer: &Value) -> String {
    let members = answer.as_object().into_iter().flatten();
    let members = members.map(|(name, value)| {
        let value = value.as_str().unwrap_or_default();
        format!("<{name}>{value}</{name}>")
    });
    let members: String = members.collect();
    format!(
        "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <{operation}Result>{members}</{operation}Result>\
         <ResponseMetadata><RequestId>simulated</RequestId></ResponseMetadata>\
         </{operation}Response>"
    )
}

pub(super) fn error(failure: &Failure) -> String {
    // Where the other protocol says Exception, this one does not.
    let code = failure.code.trim_end_matches("Exception");
    let blame = if failure.status < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
         <Type>{blame}</Type><Code>{code}</Code><Message>{}</Message></Error>\
         <RequestId>simulated</RequestId></ErrorResponse>",
        failure.message
    )
}
