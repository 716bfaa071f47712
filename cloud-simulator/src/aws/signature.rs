//! Who signed a request: signatures of version 4 in the header.

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::answer::Failure;
use super::{Key, Request, Service};

/// What an authorization header says.
struct Claim<'a> {
    key: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    signed: Vec<&'a str>,
    signature: &'a str,
}

/// The region that the request is for.
///
/// How old the signature is does not matter, since the clock of the cloud is not that of its
/// clients.
pub(super) fn verify(
    request: &Request,
    keys: &BTreeMap<String, Key>,
    service: Service,
) -> Result<String, Failure> {
    let Some(header) = request.header("authorization") else {
        let message = "Missing Authentication Token";
        return Err(Failure::new(
            403,
            "MissingAuthenticationTokenException",
            message,
        ));
    };
    let claim = claim(header).ok_or_else(|| {
        let message = format!("Authorization header is incomplete. Authorization={header}");
        Failure::new(403, "IncompleteSignatureException", message)
    })?;
    let key = keys.get(claim.key).ok_or_else(unknown)?;
    require_scope(&claim, service)?;
    let token = request.header("x-amz-security-token");
    if token != key.token.as_deref() {
        return Err(unknown());
    }
    if !is_signed_by(request, &claim, key).unwrap_or(false) {
        return Err(mismatch(
            "The request signature we calculated does not match the signature you provided. \
             Check your AWS Secret Access Key and signing method. Consult the service \
             documentation for details.",
        ));
    }
    if key.expired {
        return Err(Failure::expired());
    }
    Ok(claim.region.to_owned())
}

fn unknown() -> Failure {
    let message = "The security token included in the request is invalid.";
    Failure::new(403, "UnrecognizedClientException", message)
}

fn mismatch(message: impl Into<String>) -> Failure {
    Failure::new(403, "InvalidSignatureException", message)
}

fn claim(header: &str) -> Option<Claim<'_>> {
    let parts = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let part = |name: &str| {
        let mut parts = parts.split(',').map(str::trim);
        parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    };
    let mut scope = part("Credential")?.rsplit('/');
    let end = scope.next()?;
    let (service, region) = (scope.next()?, scope.next()?);
    let (date, key) = (scope.next()?, scope.next()?);
    let whole = end == "aws4_request" && scope.next().is_none();
    whole.then_some(Claim {
        key,
        date,
        region,
        service,
        signed: part("SignedHeaders")?.split(';').collect(),
        signature: part("Signature")?,
    })
}

fn require_scope(claim: &Claim<'_>, service: Service) -> Result<(), Failure> {
    if claim.service != service.name() {
        let name = service.name();
        let message = format!("Credential should be scoped to correct service: '{name}'. ");
        return Err(mismatch(message));
    }
    let mut parts = claim.region.split('-');
    let words = parts.clone().count();
    let number = parts.next_back().and_then(|last| last.parse::<u8>().ok());
    let is_word =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    if words < 3 || number.is_none() || !parts.all(is_word) {
        let region = claim.region;
        let message = format!("Credential should be scoped to a valid region, not '{region}'. ");
        return Err(mismatch(message));
    }
    Ok(())
}

/// Whether signing the request again gives the same signature; `None` where it cannot be signed.
fn is_signed_by(request: &Request, claim: &Claim<'_>, key: &Key) -> Option<bool> {
    let date = request.header("x-amz-date")?;
    // Without them a signature does not bind the request.
    let bound = ["host", "x-amz-date"]
        .iter()
        .all(|name| claim.signed.contains(name));
    if !bound || !date.starts_with(claim.date) {
        return Some(false);
    }
    let identity = Credentials::new(claim.key, &key.secret, key.token.clone(), None, "request");
    let identity = identity.into();
    let mut settings = SigningSettings::default();
    // The client says which headers it signed.
    settings.excluded_headers = None;
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(claim.region)
        .name(claim.service)
        .time(time(date)?)
        .settings(settings)
        .build()
        .ok()?;
    // The signer adds these two by itself.
    let added = ["x-amz-date", "x-amz-security-token"];
    let headers = request.headers.iter().filter(|(name, _)| {
        claim.signed.contains(&name.as_str()) && !added.contains(&name.as_str())
    });
    let signable = SignableRequest::new(
        &request.method,
        format!("http://{}{}", request.header("host")?, request.target),
        headers.map(|(name, value)| (name.as_str(), value.as_str())),
        SignableBody::Bytes(&request.body),
    );
    let (_, signature) = sign(signable.ok()?, &parameters.into()).ok()?.into_parts();
    Some(signature == claim.signature)
}

fn time(text: &str) -> Option<SystemTime> {
    let civil = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().into())
}
